import { GLOBAL_TARGET } from '../../src/switch.ts';
import type { Flip } from '../../src/switch.ts';
import type { LeverBody, Pulled } from '../fleet/pull-lever.ts';
import type { DrillClock } from '../history/clock.ts';
import type { FlipFacts } from '../history/event.ts';
import type { LeverStatusBody } from '../history/lever-event.ts';
import type { HistorySink } from '../history/write.ts';
import { filled } from '../scenario/lever-words.ts';
import type { LeverValues } from '../scenario/lever-words.ts';
import type { FlipEntry, Lever, LeversSpec, ReleaseEntry } from '../scenario/scenario.ts';
import { factsOf } from './flip-events.ts';
import type { Taken } from './operator.ts';
import { modeSaid } from './lever-status.ts';

interface LeverOperatorParts {
  readonly levers: LeversSpec;
  readonly namespace: string;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly pull: (lever: Lever, body: LeverBody, signal: AbortSignal) => Promise<Pulled>;
  readonly newId: () => string;
  readonly wallMs: () => number;
  /** Told of each flip that the fleet took. */
  readonly onFlip: (flip: Flip) => void;
}

/** A stop that is on, as the drill knows it. */
interface Open {
  readonly flip: number;
  readonly id: string;
  readonly mode: string;
}

/**
 * The operator of a fleet with a switch of its own: pulls its levers instead of writing flips. What a lever says is what
 * counts as durable; nobody else's record is there to be compared.
 */
export class LeverOperator {
  readonly #parts: LeverOperatorParts;
  readonly #open = new Map<string, Open[]>();
  #flips = 0;
  #taken = 0;

  constructor(parts: LeverOperatorParts) {
    this.#parts = parts;
  }

  /** How many flips the fleet has taken: such a switch counts none. */
  get revision(): number {
    return this.#taken;
  }

  /** No alert asks for a stop here. */
  readonly overtaken = null;

  /** Pulls the stop lever; `onDurable` is called when it has said yes (of a no the history has its words). */
  async stop(entry: FlipEntry, onDurable: (revision: number) => void, signal: AbortSignal): Promise<Taken> {
    const { scope, mode, reason, queue } = entry;
    const { levers } = this.#parts;
    const common = this.#common(entry, reason);
    const flip = { ...common, kind: 'stop', mode, queue } as const;
    const values = { scope, target: common.target, mode, reason, id: common.id };
    const { nth, revision } = await this.#flip(flip, levers.stop, values, signal);
    if (revision === null) return { id: common.id, isTaken: false };
    onDurable(revision);
    const on = nameOf(common);
    this.#open.set(on, [...this.#on(on), { flip: nth, id: common.id, mode }]);
    await this.#ask(nth, 'after', mode, values, signal);
    return { id: common.id, isTaken: true };
  }

  /** Pulls the release lever of that switch, which lifts all that the drill has stopped there. */
  async release(entry: ReleaseEntry, signal: AbortSignal): Promise<void> {
    const { scope, reason } = entry;
    const { levers } = this.#parts;
    const common = this.#common(entry, reason);
    const on = nameOf(common);
    const engagements = this.#on(on).map(({ id }) => id);
    const values = { scope, target: common.target, mode: 'disengaged', reason, id: engagements.at(-1) ?? common.id };
    const last = this.#on(on).at(-1);
    if (last !== undefined) await this.#ask(last.flip, 'before-release', last.mode, values, signal);
    const flip = { ...common, kind: 'release', engagements } as const;
    const { nth, revision } = await this.#flip(flip, levers.release, values, signal);
    if (revision === null) return;
    this.#open.delete(on);
    await this.#ask(nth, 'after', 'disengaged', values, signal);
  }

  /** Nothing is provisional here: a lever says yes or no. */
  settled(): Promise<void> {
    return Promise.resolve();
  }

  #on(name: string): readonly Open[] {
    return this.#open.get(name) ?? [];
  }

  #common({ scope, target }: FlipEntry | ReleaseEntry, reason: string) {
    const { namespace, newId, wallMs } = this.#parts;
    const at = new Date(wallMs()).toISOString();
    const on = { scope, target: scope === 'global' ? GLOBAL_TARGET : target };
    return { namespace, id: newId(), ...on, reason, triggeredBy: 'drill', source: 'killdrill run', at } as const;
  }

  async #flip(
    flip: Flip,
    lever: Lever,
    values: LeverValues,
    signal: AbortSignal,
  ): Promise<{ readonly nth: number; readonly revision: number | null }> {
    const { clock, history, pull, onFlip } = this.#parts;
    const nth = (this.#flips += 1);
    const facts: FlipFacts = factsOf(nth, flip, 'taken');
    const t0 = clock.nowNs();
    history.append({ type: 'flip.requested', ...facts }, { t0, t1: t0 });
    const pulled = await pull(filled(lever, values), { ...values }, signal);
    const revision = pulled.ok ? (this.#taken += 1) : null;
    const error = pulled.ok ? null : pulled.error;
    history.append({ type: 'flip.answered', ...facts, ok: pulled.ok, revision, error }, { t0, t1: clock.nowNs() });
    if (pulled.ok) onFlip(flip);
    return { nth, revision };
  }

  /** What it says of itself is on record, and judged; the drill goes on whatever that is. */
  async #ask(
    flip: number,
    moment: LeverStatusBody['moment'],
    expected: string,
    values: LeverValues,
    signal: AbortSignal,
  ): Promise<void> {
    const { levers, clock, history, pull } = this.#parts;
    if (levers.status === null) return;
    const t0 = clock.nowNs();
    const pulled = await pull(filled(levers.status, { ...values, mode: expected }), null, signal);
    const answer = pulled.ok ? modeSaid(pulled.text) : { said: null, error: pulled.error };
    const { scope, target } = values;
    const body = { type: 'lever.status', flip, moment, scope, target, expected, ...answer } as const;
    history.append(body, { t0, t1: clock.nowNs() });
  }
}

function nameOf({ scope, target }: { readonly scope: string; readonly target: string }): string {
  return `${scope}:${target}`;
}
