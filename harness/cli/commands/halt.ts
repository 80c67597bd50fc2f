import { systemClock } from '../../../src/clock.ts';
import { takeStop } from '../../../src/control/halt-paths.ts';
import type { HaltEvent, HaltOutcome, MadeStop, PathState } from '../../../src/control/halt-paths.ts';
import type { StopState } from '../../../src/control/effectiveness.ts';
import { messageOf } from '../../../src/errors.ts';
import { canonicalText, parseFlip } from '../../../src/flip-text.ts';
import type { StopFlip, Switch } from '../../../src/switch.ts';
import { printable, wrap } from '../../report/wrap.ts';
import { formatDuration, parseDuration } from '../../scenario/quantity.ts';
import { awaitEffective, effectiveSentences } from '../await-effective.ts';
import { confirm } from '../confirm.ts';
import { EXIT, InterruptedError } from '../exit.ts';
import { signingOf } from '../flip-keys.ts';
import type { SigningFlags } from '../flip-keys.ts';
import { openHaltWays } from '../halt-ways.ts';
import type { HaltWays } from '../halt-ways.ts';
import { interruptible } from '../interrupt.ts';
import { keeperIn, keptFolder, keptStops } from '../kept-stops.ts';
import type { KeptStop } from '../kept-stops.ts';
import { askerName, namespaceOf } from '../operator-connection.ts';
import type { AskerFlags, StoreFlags } from '../operator-connection.ts';
import { data, note } from '../output.ts';
import { preview } from '../preview.ts';
import { switchOf } from '../switch-words.ts';
import { usage } from '../usage.ts';

export interface HaltFlags extends StoreFlags, AskerFlags, SigningFlags {
  readonly mode: string;
  readonly queue?: string;
  readonly drain?: string;
  readonly giveUpAfter: string;
  readonly wait?: boolean;
  readonly deadline: string;
  readonly preview?: boolean;
  readonly resend?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const WIDTH = 80;
const NO_ID = 'to come';
const NO_REASON = 'no reason was given';

/** `killdrill halt`: stops, by the first way that makes it durable; without a scope, everything. */
export async function halt(words: readonly string[], flags: HaltFlags): Promise<number> {
  const bounds: SendFlags = {
    ...flags,
    giveUpMs: boundOf('--give-up-after', flags.giveUpAfter),
    deadlineMs: boundOf('--deadline', flags.deadline),
  };
  if (flags.resend === true) return resend(words, bounds);
  const wish = wishOf(switchOf(words), flags);
  parseFlip(canonicalText({ ...wish, id: NO_ID })); // whatever is wrong with it is said before anybody is asked
  if (flags.preview === true) return preview(wish, flags);
  const sign = signerOf(flags);
  const ways = await openHaltWays(flags, wish);
  const interrupt = interruptible();
  try {
    const text = canonicalText({ ...wish, id: ways.flipId });
    if (flags.yes !== true) await confirm(questionOf(wish), wordOf(wish), interrupt.signal);
    const code = await send({ text, signature: sign?.(text) ?? null }, ways, bounds, interrupt.signal);
    if (flags.quiet !== true && code === EXIT.pass) await noteKept();
    return code;
  } finally {
    interrupt.dispose();
    await ways.close();
  }
}

function boundOf(name: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === null || ms === 0) throw usage(`${name} is '${text}'; expected a time, such as 30s or 10m`);
  return ms;
}

/** An unsigned stop is enforced too: a key that cannot be read keeps nobody from stopping. */
function signerOf(flags: HaltFlags): ((text: string) => string) | null {
  try {
    return signingOf(flags)?.sign ?? null;
  } catch (error) {
    note(wrap(printable(`goes unsigned: ${messageOf(error)}`), WIDTH).join('\n'));
    return null;
  }
}

function wishOf(on: Switch, flags: HaltFlags): Omit<StopFlip, 'id'> {
  const drainMs = flags.drain === undefined ? null : parseDuration(flags.drain);
  if (flags.drain !== undefined && drainMs === null) {
    throw usage(`--drain is '${flags.drain}'; expected a time, such as 30s`);
  }
  const queue = flags.queue ?? (drainMs === null ? 'discard' : 'drain');
  if (queue === 'drain' && drainMs === null) throw usage('--queue drain wants how long: --drain 30s');
  if (queue !== 'drain' && drainMs !== null) throw usage(`--drain is for --queue drain, found --queue ${queue}`);
  return {
    ...{ kind: 'stop', namespace: namespaceOf(flags), ...on },
    // The command line takes no other words; parseFlip() judges how they go together.
    ...{ mode: flags.mode as StopFlip['mode'], queue: queue as StopFlip['queue'] },
    ...(drainMs === null ? {} : { drainMs }),
    ...{ reason: flags.reason ?? NO_REASON, triggeredBy: askerName(flags), source: 'killdrill halt' },
    at: new Date(systemClock.wallMs()).toISOString(),
  };
}

function questionOf({ namespace, mode, queue, ...on }: Omit<StopFlip, 'id'>): string {
  const what = on.scope === 'global' ? 'EVERYTHING' : `${on.scope}:${on.target}`;
  return `This stops ${what} in namespace '${namespace}' (${mode}, ${queue}).`;
}

function wordOf({ scope, target }: Switch): string {
  return scope === 'global' ? scope : target;
}

interface SendFlags extends HaltFlags {
  readonly giveUpMs: number;
  readonly deadlineMs: number;
}

async function send(stop: MadeStop, ways: HaltWays, flags: SendFlags, signal: AbortSignal): Promise<number> {
  const flip = parseFlip(stop.text) as StopFlip;
  const outcome = await takeStop(
    {
      ...{ paths: ways.paths, keeper: keeperIn(keptFolder(process.env), flip.id), clock: systemClock },
      timings: { giveUpMs: flags.giveUpMs },
      onEvent: (event) => {
        if (flags.quiet !== true) tell(event, flags.giveUpMs);
      },
    },
    stop,
    signal,
  );
  if (flags.json !== true) say(sentencesOf(flip, outcome));
  const effect = outcome.kind === 'durable' && flags.wait === true ? await effectOf(flip, flags, signal) : null;
  if (flags.json === true) data(JSON.stringify({ ...jsonOf(flip, outcome), ...effect?.json }));
  else if (effect !== null) say(effect.sentences);
  return effect === null || effect.isEffective ? codeOf(outcome, signal) : EXIT.failed;
}

function say(sentences: readonly string[]): void {
  for (const sentence of sentences) data(wrap(printable(sentence), WIDTH).join('\n'));
}

interface Effect {
  readonly isEffective: boolean;
  readonly sentences: readonly string[];
  readonly json: { readonly effective: StopState | null; readonly effectiveUnknown?: string };
}

/** The stop is durable by now; that nobody can tell how far it has come takes nothing from it. */
async function effectOf({ id, namespace }: StopFlip, flags: SendFlags, signal: AbortSignal): Promise<Effect> {
  try {
    const state = await awaitEffective(id, { ...flags, namespace }, flags.deadlineMs, signal);
    const sentences = effectiveSentences(state, formatDuration(flags.deadlineMs));
    return { isEffective: state.state === 'effective', sentences, json: { effective: state } };
  } catch (error) {
    if (signal.aborted) throw error;
    const why = messageOf(error);
    const sentences = [`NOT KNOWN whether it is effective: ${why}`];
    return { isEffective: false, sentences, json: { effective: null, effectiveUnknown: why } };
  }
}

function codeOf(outcome: HaltOutcome, signal: AbortSignal): number {
  if (outcome.kind === 'durable') return EXIT.pass;
  if (outcome.end === 'interrupted' && signal.reason instanceof InterruptedError) return signal.reason.exitCode;
  return outcome.kind === 'resident' ? EXIT.inconclusive : EXIT.error;
}

/** What happens meanwhile. A path that has taken it is not told here: the last word on it is data. */
function tell(event: HaltEvent, giveUpMs: number): void {
  const tellOne = (sentence: string): void => note(wrap(sentence, WIDTH).join('\n'));
  if (event.kind === 'slow')
    return tellOne(`${event.path}: no answer after ${formatDuration(event.afterMs)}; trying on`);
  const { path, state } = event;
  if (state.kind === 'provisional') {
    const again = state.resident ? `; waiting for up to ${formatDuration(giveUpMs)} until it is` : '';
    tellOne(`${path}: not durable yet: ${state.says}${again}`);
  }
  if (state.kind !== 'failed') return;
  const again = state.final ? 'it is not asked again' : `it is asked again for up to ${formatDuration(giveUpMs)}`;
  tellOne(`${path}: ${state.why}; ${again}`);
}

const ENDS = {
  refused: 'nobody takes it',
  'given-up': 'the time for it is up',
  interrupted: 'it was interrupted',
} as const;

function sentencesOf(flip: StopFlip, outcome: HaltOutcome): readonly string[] {
  const what = `the stop of ${flip.scope}:${flip.target} (${flip.mode}, ${flip.queue})`;
  const name = `engagement ${flip.id}`;
  switch (outcome.kind) {
    case 'durable': {
      const where = outcome.revision === null ? '' : ` at revision ${outcome.revision}`;
      return [`durable${where}, by ${outcome.path}: ${what}`, name];
    }
    case 'resident':
      return [`NOT DURABLE yet, ${ENDS[outcome.end]}: ${what}`, `${outcome.path} has it: ${outcome.says}`, name];
    case 'kept': {
      const states = [...outcome.paths].map(([path, state]) => `${path}: ${stateWords(state)}`);
      return [`NOT DURABLE, ${ENDS[outcome.end]}: ${what}`, ...states, keptWords(flip, outcome), name];
    }
  }
}

function stateWords(state: PathState): string {
  switch (state.kind) {
    case 'asked':
      return 'was asked and has not answered; it may have taken it';
    case 'failed':
      return `has not taken it: ${state.why}`;
    case 'provisional':
      return state.says;
    case 'durable':
      return 'has taken it';
  }
}

function keptWords(flip: StopFlip, { keptAt, notKept }: Extract<HaltOutcome, { readonly kind: 'kept' }>): string {
  if (keptAt !== null) return `kept at ${keptAt}, nobody is sending it; 'killdrill halt --resend' sends it`;
  return `it could not be kept (${notKept ?? 'nobody knows why'}), and nobody is sending it; halt again. Its text: ${canonicalText(flip)}`;
}

function jsonOf(flip: StopFlip, outcome: HaltOutcome) {
  const { namespace, id, scope, target, mode, queue } = flip;
  const durable = outcome.kind === 'durable';
  return {
    ...{ id, namespace, scope, target, mode, queue, durable },
    ...{ revision: durable ? outcome.revision : null, takenBy: outcome.kind === 'kept' ? null : outcome.path },
    keptAt: outcome.kind === 'kept' ? outcome.keptAt : null,
    paths: [...outcome.paths].map(([path, state]) => ({ path, state: state.kind, says: stateWords(state) })),
  };
}

/** Says what earlier commands left behind, so that no stop is forgotten. */
async function noteKept(): Promise<void> {
  const folder = keptFolder(process.env);
  let count = 0;
  try {
    const { stops, unreadable } = await keptStops(folder);
    count = stops.length + unreadable.length;
  } catch (error) {
    // This stop is durable, and whatever is wrong with the folder takes nothing from it.
    note(wrap(printable(messageOf(error)), WIDTH).join('\n'));
  }
  if (count === 0) return;
  const sentence = `${count} earlier stops are kept in ${folder}, and no command has seen them durable; 'killdrill halt --resend' sends them`;
  note(wrap(sentence, WIDTH).join('\n'));
}

/** Sends what earlier commands kept, each as it was made. */
async function resend(words: readonly string[], flags: SendFlags): Promise<number> {
  if (words.length > 0) throw usage('--resend sends what is kept, as it was made; expected no scope beside it');
  const { stops, unreadable } = await keptStops(keptFolder(process.env));
  for (const path of unreadable) note(printable(`${path} is no stop that was kept; look at it, and remove it`));
  const interrupt = interruptible();
  let worst: number = unreadable.length === 0 ? EXIT.pass : EXIT.error;
  try {
    for (const kept of stops) {
      if (interrupt.signal.aborted) break;
      worst = worseOf(worst, await resendOne(kept, flags, interrupt.signal));
    }
  } finally {
    interrupt.dispose();
  }
  if (stops.length === 0 && flags.json !== true) data('nothing is kept here');
  return worst;
}

async function resendOne(kept: KeptStop, flags: SendFlags, signal: AbortSignal): Promise<number> {
  const { namespace } = kept.flip;
  const ways = await openHaltWays({ ...flags, namespace }, null);
  try {
    return await send(kept, ways, flags, signal);
  } finally {
    await ways.close();
  }
}

function worseOf(one: number, other: number): number {
  return Math.max(one, other);
}
