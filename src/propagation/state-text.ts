import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { parseFlip } from '../flip-text.ts';
import type { Head } from '../store/store.ts';
import { GLOBAL_TARGET, SCOPES, STOP_MODES } from '../switch.ts';
import type { Mode, StopMode, Switch } from '../switch.ts';

/** A stop in a state file: its canonical text, and its taker's signature where it has one. */
export interface StateStop {
  readonly text: string;
  readonly signature: string | null;
}

/** What the seal of a state file covers. */
export interface FileState {
  readonly namespace: string;
  /** Grows with each writing. */
  readonly sequence: number;
  /** ISO 8601, by the writer's clock; informative only. */
  readonly writtenAt: string;
  /** How far its writer had followed the store; null where there is none. */
  readonly head: Head | null;
  readonly stops: readonly StateStop[];
  /** Stops that were released, the newest last. */
  readonly ended: readonly EndedStop[];
}

/** A release, in a state file. */
export interface EndedStop {
  /** Of the stop. */
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  /** ISO 8601, by the releaser's clock. */
  readonly at: string;
}

/** A state file as it was read, whoever has written it. */
export interface StateDocument {
  readonly state: FileState;
  readonly seal: string | null;
  /** What a hand may edit: a mode by switch, as `tenant:acme`. */
  readonly switches: Readonly<Record<string, unknown>>;
  readonly reason: string;
}

/** A switch that a hand has raised above what the sealed stops say. */
export interface Raised {
  readonly on: Switch;
  readonly mode: StopMode;
}

/** What a hand did to the modes of a file. */
export interface HandEdits {
  readonly raised: readonly Raised[];
  /** Switches whose mode is below that of the sealed stops, gone, or no mode at all. */
  readonly lowered: readonly string[];
}

/** Longest state file that is read, bytes. */
export const MAX_STATE_BYTES = 64 * 1024 * 1024;
/** Released stops that a file keeps. */
export const ENDED_IN_FILE = 2_000;

const SEVERITY: Readonly<Record<Mode, number>> = { disengaged: 0, halt_noncritical: 1, halt_all: 2, emergency: 3 };
const GLOBAL_KEY = `global:${GLOBAL_TARGET}`;

const stateSchema = z.strictObject({
  namespace: z.string().min(1),
  sequence: z.number().int().min(1),
  writtenAt: z.string().min(1),
  head: z.strictObject({ epoch: z.string(), revision: z.number().int().min(0), hash: z.string() }).nullable(),
  stops: z.array(z.strictObject({ text: z.string(), signature: z.string().nullable() })),
  ended: z
    .array(z.strictObject({ id: z.string(), by: z.string(), reason: z.string(), at: z.string() }))
    .max(ENDED_IN_FILE),
});
const documentSchema = z.strictObject({
  killdrill: z.literal(1),
  switches: z.record(z.string(), z.unknown()),
  reason: z.unknown().optional(),
  state: stateSchema,
  seal: z.string().nullable(),
});

/** What is sealed: the state with its keys in a fixed order. */
export function sealedText({ namespace, sequence, writtenAt, head, stops, ended }: FileState): string {
  const place = head === null ? null : { epoch: head.epoch, revision: head.revision, hash: head.hash };
  const kept = stops.map(({ text, signature }) => ({ text, signature }));
  const over = ended.map(({ id, by, reason, at }) => ({ id, by, reason, at }));
  const sealed = { namespace, sequence, writtenAt, head: place, stops: kept, ended: over };
  return `killdrill state file 1\n${JSON.stringify(sealed)}`;
}

/** The whole file. `switches` stands first: it is what a hand looks for. */
export function stateFileText(state: FileState, seal: string | null): string {
  const document = { killdrill: 1, switches: Object.fromEntries(modesOf(state.stops)), reason: '', state, seal };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Reads a file's text; a string says what is wrong with it. Whether its seal holds is another question. */
export function parseStateFile(text: string): StateDocument | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return `it is not whole (${messageOf(error).slice(0, 120)})`;
  }
  const read = documentSchema.safeParse(json);
  if (!read.success) {
    const issue = read.error.issues[0];
    return `its ${issue?.path.join('.') ?? 'content'} is wrong: ${issue?.message ?? 'unreadable'}`;
  }
  const { state, seal, switches, reason } = read.data;
  const unreadable = state.stops.map((stop) => wrongStop(stop, state.namespace)).find((wrong) => wrong !== null);
  if (unreadable !== undefined) return unreadable;
  return { state, seal, switches, reason: typeof reason === 'string' ? reason.trim().slice(0, 500) : '' };
}

function wrongStop({ text }: StateStop, namespace: string): string | null {
  try {
    const flip = parseFlip(text);
    if (flip.kind !== 'stop') return `it holds ${flip.id} as a stop, which is a ${flip.kind}`;
    return flip.namespace === namespace ? null : `it holds stop ${flip.id} of namespace '${flip.namespace}'`;
  } catch (error) {
    return `it holds a stop that cannot be read (${messageOf(error)})`;
  }
}

/** The highest mode by switch; the global switch is always there, so that a hand finds something to raise. */
export function modesOf(stops: readonly StateStop[]): ReadonlyMap<string, Mode> {
  const modes = new Map<string, Mode>([[GLOBAL_KEY, 'disengaged']]);
  for (const { text } of stops) {
    const flip = parseFlip(text);
    if (flip.kind !== 'stop') continue;
    const key = keyOf(flip);
    if (SEVERITY[flip.mode] > SEVERITY[modes.get(key) ?? 'disengaged']) modes.set(key, flip.mode);
  }
  return modes;
}

/** What a hand has made of the modes. A switch or a mode that nobody knows counts as lowered: what was meant is unknown. */
export function handEdits({ switches, state }: StateDocument): HandEdits {
  const sealed = modesOf(state.stops);
  const raised: Raised[] = [];
  const lowered: string[] = [];
  for (const key of new Set([...sealed.keys(), ...Object.keys(switches)])) {
    const mode = modeNamed(switches[key]);
    const on = switchNamed(key);
    const before = SEVERITY[sealed.get(key) ?? 'disengaged'];
    if (mode === null || on === null || SEVERITY[mode] < before) lowered.push(key);
    else if (mode !== 'disengaged' && SEVERITY[mode] > before) raised.push({ on, mode });
  }
  return { raised, lowered };
}

/** How a file names a switch. */
export function keyOf({ scope, target }: Switch): string {
  return scope === 'global' ? GLOBAL_KEY : `${scope}:${target}`;
}

function modeNamed(value: unknown): Mode | null {
  return value === 'disengaged' ? value : (STOP_MODES.find((mode) => mode === value) ?? null);
}

function switchNamed(key: string): Switch | null {
  const colon = key.indexOf(':');
  const scope = SCOPES.find((known) => known === key.slice(0, colon));
  const target = key.slice(colon + 1);
  if (scope === undefined || target === '' || target.length > 300) return null;
  return scope === 'global' && target !== GLOBAL_TARGET ? null : { scope, target };
}
