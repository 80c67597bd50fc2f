import { createHash } from 'node:crypto';
import { canonicalText, parseFlip } from '../flip-text.ts';
import { GLOBAL_TARGET } from '../switch.ts';
import type { StopFlip } from '../switch.ts';
import { HALT_NAME } from './state-folder.ts';
import type { SeenFile, SeenState, Sighting } from './state-folder.ts';
import type { StateSeal } from './state-seal.ts';
import { handEdits, keyOf, parseStateFile, sealedText } from './state-text.ts';
import type { EndedStop, FileState, Raised, StateDocument } from './state-text.ts';

/** Why a state file cannot be trusted, and what it takes to be trusted again. */
export interface StateRefusal {
  readonly code:
    | 'missing'
    | 'unreadable'
    | 'torn'
    | 'other-namespace'
    | 'not-sealed'
    | 'lowered'
    | 'replayed'
    | 'forked'
    | 'not-fresh';
  readonly why: string;
}

/** A stop as the file, or a hand, brought it. */
export interface FileStop {
  readonly stop: StopFlip;
  readonly text: string;
  readonly signature: string | null;
  /** Of a hand: nobody has signed it. */
  readonly byHand: boolean;
  /** Name of the file beside the state file that holds this stop alone; null when there is none. */
  readonly beside: string | null;
}

/** What is remembered from one look to the next. */
export interface StateMemory {
  /** Of the newest sealed state; 0 before the first. */
  readonly sequence: number;
  readonly seal: string | null;
}

export interface StateContext {
  readonly namespace: string;
  readonly seal: StateSeal;
  /** The machine's name: a hand's stop is named by it. */
  readonly host: string;
}

/** A hand's stop is named by the file's path too. */
interface Here extends StateContext {
  readonly path: string;
}

export interface StateJudgement {
  readonly stops: readonly FileStop[];
  /** Null when the file may be trusted. */
  readonly refusal: StateRefusal | null;
  /** The sealed state, if there is one that may be trusted as such. */
  readonly state: FileState | null;
  readonly memory: StateMemory;
}

export type JudgeState = typeof judgeState;

export const NO_MEMORY: StateMemory = { sequence: 0, seal: null };

/** Longest reason that is taken from a hand. */
const MAX_REASON = 500;
const HAND_ID = /^hand-([0-9a-f]{24})-(\d+)$/;

/**
 * What one look at a state file's folder amounts to. A pure function.
 *
 * A hand can only stop: what nobody has sealed may add stops, and never takes one away. Stops of a sealed state count though
 * the file cannot be trusted otherwise.
 */
export function judgeState(sighting: Sighting, memory: StateMemory, context: StateContext): StateJudgement {
  const here = { ...context, path: sighting.path };
  const besides = sighting.halts.map((file) => stopBeside(file, here));
  const judged = judgeMain(sighting.state, memory, here);
  return { ...judged, stops: [...besides, ...judged.stops] };
}

function judgeMain(seen: SeenState, memory: StateMemory, context: Here): StateJudgement {
  const { path } = context;
  if (seen.kind === 'missing') return refused(memory, 'missing', `there is no state file ${path}`);
  if (seen.kind === 'unreadable') return refused(memory, 'unreadable', `the state file ${path}: ${seen.why}`);
  const document = parseStateFile(seen.file.text);
  if (typeof document === 'string') return refused(memory, 'torn', `the state file ${path}: ${document}`);
  const { namespace } = document.state;
  if (namespace !== context.namespace) {
    const why = `the state file ${path} is of namespace '${namespace}'; expected '${context.namespace}'`;
    return refused(memory, 'other-namespace', why);
  }
  return judgeDocument(document, seen.file, memory, context);
}

function judgeDocument(document: StateDocument, file: SeenFile, memory: StateMemory, context: Here): StateJudgement {
  const { state, seal } = document;
  const { raised, lowered } = handEdits(document);
  const byHand = raised.map((one) => stopByEdit(one, document.reason, file, context));
  const said = `the state file ${context.path}`;
  if (!context.seal.holds(sealedText(state), seal)) {
    return { ...refused(memory, 'not-sealed', `${said} is not sealed by a key that is known here`), stops: byHand };
  }
  const sealed = state.stops.map(({ text, signature }) => sealedStop(text, signature));
  const stops = [...sealed, ...byHand];
  if (state.sequence < memory.sequence) {
    const why = `${said} is of writing ${state.sequence}, and ${memory.sequence} was seen before`;
    return { ...refused(memory, 'replayed', why), stops: byHand };
  }
  if (state.sequence === memory.sequence && seal !== memory.seal) {
    const why = `${said} has two contents of the same writing ${state.sequence}`;
    return { ...refused(memory, 'forked', why), stops };
  }
  const now = { sequence: state.sequence, seal };
  if (lowered.length > 0) {
    const why = `${said} was edited by hand to stop less: ${lowered.slice(0, 5).join(', ')}; a hand can only stop`;
    return { ...refused(now, 'lowered', why), stops, state };
  }
  return { stops, refusal: null, state, memory: now };
}

function refused(memory: StateMemory, code: StateRefusal['code'], why: string): StateJudgement {
  return { stops: [], refusal: { code, why }, state: null, memory };
}

function sealedStop(text: string, signature: string | null): FileStop {
  // Its reader has seen to it that it is a stop.
  return { stop: parseFlip(text) as StopFlip, text, signature, byHand: false, beside: null };
}

/** A stop that was put beside the file whole, or a hand's for everything. */
function stopBeside(file: SeenFile, context: Here): FileStop {
  const given = file.name === HALT_NAME ? null : readStop(file, context.namespace);
  if (given !== null) return given;
  const reason = file.text.trim().slice(0, MAX_REASON) || `a file named ${file.name} was put beside the state file`;
  return handStop({ on: { scope: 'global', target: GLOBAL_TARGET }, mode: 'halt_all' }, reason, file, context);
}

function readStop({ name, text }: SeenFile, namespace: string): FileStop | null {
  try {
    const { stop, signature } = JSON.parse(text) as { readonly stop?: unknown; readonly signature?: unknown };
    if (typeof stop !== 'string') return null;
    const flip = parseFlip(stop);
    if (flip.kind !== 'stop' || flip.namespace !== namespace) return null;
    const isSigned = typeof signature === 'string';
    return { stop: flip, text: stop, signature: isSigned ? signature : null, byHand: !isSigned, beside: name };
  } catch {
    return null;
  }
}

function stopByEdit(raised: Raised, reason: string, file: SeenFile, context: Here): FileStop {
  return handStop(raised, reason === '' ? `${keyOf(raised.on)} was raised by hand` : reason, file, context);
}

/**
 * An operator's stop that no program took. Its id is the same for all who look, and new for each change of the file: host,
 * path, inode and what it is about are hashed, the time of the change follows.
 */
function handStop(
  { on, mode }: Raised,
  reason: string,
  { name, ino, ctimeNs }: SeenFile,
  { namespace, host, path }: Here,
): FileStop {
  const what = `${host}\n${path}\n${name}\n${ino}\n${keyOf(on)}`;
  const id = `hand-${createHash('sha256').update(what, 'utf8').digest('hex').slice(0, 24)}-${ctimeNs}`;
  const stop: StopFlip = {
    ...{ kind: 'stop', namespace, id, scope: on.scope, target: on.target, mode, queue: 'discard', reason },
    ...{ triggeredBy: 'a hand', source: `state file on ${host}`.slice(0, 300) },
    at: new Date(Number(ctimeNs / 1_000_000n)).toISOString(),
  };
  return { stop, text: canonicalText(stop), signature: null, byHand: true, beside: null };
}

/**
 * Tells which stops a state has ended. A hand's that was ended takes those before it along, of the same file: who writes a
 * file in two steps has changed it twice.
 */
export function endedIn(ended: readonly Pick<EndedStop, 'id'>[]): (id: string) => boolean {
  const ids = new Set(ended.map(({ id }) => id));
  const hands = new Map<string, bigint>();
  for (const { id } of ended) {
    const hand = handOf(id);
    if (hand !== null && hand.ctimeNs > (hands.get(hand.what) ?? 0n)) hands.set(hand.what, hand.ctimeNs);
  }
  return (id) => {
    if (ids.has(id)) return true;
    const hand = handOf(id);
    return hand !== null && hand.ctimeNs <= (hands.get(hand.what) ?? -1n);
  };
}

function handOf(id: string): { readonly what: string; readonly ctimeNs: bigint } | null {
  const [, what, ctimeNs] = HAND_ID.exec(id) ?? [];
  return what === undefined || ctimeNs === undefined ? null : { what, ctimeNs: BigInt(ctimeNs) };
}
