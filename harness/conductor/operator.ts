import { KilldrillError, messageOf } from '../../src/errors.ts';
import { canonicalText, parseFlip } from '../../src/flip-text.ts';
import type { FlipStore } from '../../src/store/store.ts';
import { GLOBAL_TARGET } from '../../src/switch.ts';
import type { Flip, ReleaseFlip, StopFlip } from '../../src/switch.ts';
import type { DrillClock } from '../history/clock.ts';
import type { FlipFacts } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';
import type { FlipEntry, ReleaseEntry } from '../scenario/scenario.ts';
import { sleep, waitUntil } from '../environment/wait.ts';
import type { Answered } from './answered.ts';
import type { ApiHand } from './api-hand.ts';
import type { AskedStop, Detectors } from './detectors.ts';
import { factsOf, toldOf } from './flip-events.ts';

interface OperatorParts {
  readonly store: FlipStore;
  /** Ask for the stops of alerts; null where nobody reads them. */
  readonly detectors: Detectors | null;
  /** Null in a drill without an API. */
  readonly api: ApiHand | null;
  /** The revision of a flip in the store; null while it is not there. */
  readonly look: (id: string) => Promise<number | null>;
  readonly namespace: string;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly newId: () => string;
  readonly wallMs: () => number;
  /** Told of each flip that the store took. */
  readonly onFlip: (flip: Flip) => void;
}

/** While the store is away a flip is offered again, under its same id, for as long as this. */
const INSIST_MS = 10_000;
const AGAIN_MS = 50;
/** An executor, an API or a store that is killed in between is back within less, with what it held. */
const IN_STORE_MS = 30_000;
const IN_STORE_LOOK_MS = 4;

/** A stop that is to be asked for, and how. */
interface AskedFor {
  readonly flip: Flip;
  /** Of an alert: what its detector had seen. */
  readonly observed: AskedStop | null;
  readonly take: (requestedNs: number) => Promise<Answered>;
}

/** The drill's operator: takes stops and releases, and remembers which engagements it opened on which switch. */
export class Operator {
  readonly #parts: OperatorParts;
  readonly #opened = new Map<string, string[]>();
  /** Stops of alerts by their engagement, as detectors see them from then on. */
  readonly #byAlert = new Map<string, AskedStop>();
  #overtaken: AskedStop | null = null;
  readonly #watched = new Set<Promise<void>>();
  #flips = 0;
  #revision = 0;

  constructor(parts: OperatorParts) {
    this.#parts = parts;
  }

  /**
   * Asks for one stop, by its path; resolves once that has answered. `onDurable` is called once it is in the store, which for
   * a provisional answer is later; never for one that the store did not take (the history has the reason).
   */
  async stop(entry: FlipEntry, onDurable: (revision: number) => void, signal: AbortSignal): Promise<void> {
    const { flip, observed, take } = this.#stopOf(entry, signal);
    const on = `${entry.scope}:${targetOf(entry)}`;
    await this.#flip(flip, 'taken', take, (answered, facts) => {
      if (answered.kind === 'refused') return;
      this.#opened.set(on, [...(this.#opened.get(on) ?? []), flip.id]);
      const there = (revision: number): void => {
        if (observed !== null) this.#byAlert.set(flip.id, { ...observed, observedRevision: revision });
        onDurable(revision);
      };
      if (answered.kind === 'durable') there(answered.revision);
      else this.#watch(facts, there, signal);
    });
  }

  /** Resolves once every stop that was answered as provisional is in the store, or was waited for in vain. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#watched);
  }

  /** The last revision that the operator knows of; 0 before the first. */
  get revision(): number {
    return this.#revision;
  }

  /** The last stop of an alert that a release has opened, as its detector saw it; null for none. */
  get overtaken(): AskedStop | null {
    return this.#overtaken;
  }

  #stopOf(entry: FlipEntry, signal: AbortSignal): AskedFor {
    if (entry.via === 'alert') return this.#stopByAlert(entry, signal);
    const { scope, mode, queue, drainMs, reason } = entry;
    const drain = drainMs === null ? {} : { drainMs };
    const common = this.#common(this.#parts.newId(), scope, targetOf(entry), reason);
    const flip: StopFlip = { ...common, kind: 'stop', mode, queue, ...drain };
    const { api } = this.#parts;
    const put = (fromNs: number): Promise<Answered> => this.#put(flip, fromNs, signal);
    return { flip, observed: null, take: entry.via === 'api' ? () => there(api).halt(flip, signal) : put };
  }

  /** Asks for it by an alert, and waits until an executor has put it into the store. */
  #stopByAlert(entry: FlipEntry, signal: AbortSignal): AskedFor {
    const { detectors } = this.#parts;
    const { scope, mode, reason } = entry;
    const observed: AskedStop = {
      ...{ on: { scope, target: targetOf(entry) }, mode, reason, observedRevision: this.#revision },
    };
    const alert = detectors?.ready(observed, 'sound', this.#flips + 1) ?? null;
    if (detectors === null || alert?.flipText === undefined || alert.flipText === null) {
      throw new KilldrillError(
        'NO_EXECUTORS',
        `the stop of ${scope} goes by an alert, which nobody reads in this drill`,
      );
    }
    const flip = parseFlip(alert.flipText);
    const take = async (): Promise<Answered> => {
      const error = await detectors.send(alert, signal);
      if (error !== null) return { kind: 'refused', error, sentNs: this.#nowNs() };
      const found = await this.#awaitInStore(flip.id, signal);
      return found ?? { kind: 'refused', error: 'no executor has put it into the store', sentNs: this.#nowNs() };
    };
    return { flip, observed, take };
  }

  /**
   * Closes what this drill opened on that switch; its revision, or null when the store did not take it. What is refused,
   * expected or not, stays open, and a later release names it again.
   */
  async release(entry: ReleaseEntry, signal: AbortSignal): Promise<void> {
    const { scope, reason, expect, via } = entry;
    const target = targetOf(entry);
    const engagements = this.#opened.get(`${scope}:${target}`) ?? [];
    const common = this.#common(this.#parts.newId(), scope, target, reason);
    const flip: ReleaseFlip = { ...common, kind: 'release', engagements };
    const { api } = this.#parts;
    const put = (fromNs: number): Promise<Answered> => this.#put(flip, fromNs, signal);
    const take = via === 'api' ? () => there(api).release(flip, signal) : put;
    await this.#flip(flip, expect, take, ({ kind }) => {
      if (kind !== 'durable') return;
      this.#opened.delete(`${scope}:${target}`);
      this.#overtaken =
        engagements.map((id) => this.#byAlert.get(id)).findLast((one) => one !== undefined) ?? this.#overtaken;
    });
  }

  #common(id: string, scope: Flip['scope'], target: string, reason: string) {
    const { namespace, wallMs } = this.#parts;
    const at = new Date(wallMs()).toISOString();
    return { namespace, id, scope, target, reason, triggeredBy: 'drill', source: 'killdrill run', at } as const;
  }

  async #flip(
    flip: Flip,
    expected: FlipFacts['expected'],
    take: AskedFor['take'],
    onAnswer: (answered: Answered, facts: FlipFacts) => void,
  ): Promise<void> {
    const { clock, history } = this.#parts;
    this.#flips += 1;
    const facts = factsOf(this.#flips, flip, expected);
    const requestedNs = clock.nowNs();
    history.append({ type: 'flip.requested', ...facts }, { t0: requestedNs, t1: requestedNs });
    const answered = await take(requestedNs);
    history.append(
      { type: 'flip.answered', ...facts, ...toldOf(answered) },
      { t0: answered.sentNs, t1: clock.nowNs() },
    );
    if (answered.kind !== 'refused') this.#parts.onFlip(flip);
    if (answered.kind === 'durable') this.#revision = Math.max(this.#revision, answered.revision);
    onAnswer(answered, facts);
  }

  /** Of a stop that its taker holds: the drill asks nobody again, and sees whether it gets into the store. */
  #watch(facts: FlipFacts, onDurable: (revision: number) => void, signal: AbortSignal): void {
    const watching = this.#awaitInStore(facts.id, signal)
      .then((found) => {
        if (found === null || signal.aborted) return; // the history may be closed already
        const { revision, sentNs } = found;
        this.#parts.history.append({ type: 'flip.durable', ...facts, revision }, { t0: sentNs, t1: this.#nowNs() });
        this.#revision = Math.max(this.#revision, revision);
        onDurable(revision);
      })
      .catch(() => undefined) // interrupted
      .finally(() => this.#watched.delete(watching));
    this.#watched.add(watching);
  }

  async #awaitInStore(id: string, signal: AbortSignal): Promise<Extract<Answered, { kind: 'durable' }> | null> {
    let found: Extract<Answered, { kind: 'durable' }> | null = null;
    const isThere = async (): Promise<boolean> => {
      const sentNs = this.#nowNs();
      const revision = await this.#parts.look(id).catch(() => null);
      if (revision !== null) found = { kind: 'durable', revision, sentNs };
      return revision !== null;
    };
    await waitUntil(isThere, { boundMs: IN_STORE_MS, everyMs: IN_STORE_LOOK_MS, signal });
    return found;
  }

  #nowNs(): number {
    return this.#parts.clock.nowNs();
  }

  /** The same id and text may be offered again: the store takes it once and gives the first answer. */
  async #put(flip: Flip, requestedNs: number, signal: AbortSignal): Promise<Answered> {
    const { store, clock } = this.#parts;
    const text = canonicalText(flip);
    for (;;) {
      const sentNs = clock.nowNs();
      try {
        const { record } = await store.flip(text, null);
        return { kind: 'durable', revision: record.revision, sentNs };
      } catch (error) {
        const again = error instanceof KilldrillError && error.code === 'STORE_UNREACHABLE';
        const tooLate = clock.nowNs() - requestedNs > INSIST_MS * 1e6;
        if (!again || tooLate) return { kind: 'refused', error: messageOf(error), sentNs };
        await sleep(AGAIN_MS, signal);
      }
    }
  }
}

/** The scenario's reader has seen to it that there is one wherever something goes over it. */
function there(api: ApiHand | null): ApiHand {
  if (api !== null) return api;
  throw new KilldrillError('API_GONE', 'a flip goes over the API, and this drill has none');
}

function targetOf({ scope, target }: { readonly scope: Flip['scope']; readonly target: string }): string {
  return scope === 'global' ? GLOBAL_TARGET : target;
}
