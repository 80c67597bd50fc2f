import { KilldrillError } from '../../src/errors.ts';
import { haltByFile } from '../../src/propagation/halt-by-file.ts';
import { canonicalText, parseFlip } from '../../src/flip-text.ts';
import type { FlipStore } from '../../src/store/store.ts';
import { GLOBAL_TARGET } from '../../src/switch.ts';
import type { Flip, ReleaseFlip, StopFlip } from '../../src/switch.ts';
import type { FlipFacts } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';
import type { FlipEntry, ReleaseEntry } from '../scenario/scenario.ts';
import { waitUntil } from '../environment/wait.ts';
import type { Answered } from './answered.ts';
import type { ApiHand } from './api-hand.ts';
import type { AskedStop, Detectors } from './detectors.ts';
import { factsOf, toldOf } from './flip-events.ts';
import { FLEET_DETECTOR } from './drill-keys.ts';
import type { Runaways } from './runaways.ts';
import { StoreHand } from './store-hand.ts';
import type { StoreHandParts } from './store-hand.ts';

interface OperatorParts extends StoreHandParts {
  readonly store: FlipStore;
  /** Ask for the stops of alerts; null where nobody reads them. */
  readonly detectors: Detectors | null;
  /** What the fleet's own detectors are to notice; null for a fleet without any. */
  readonly runaways: Runaways | null;
  /** Null in a drill without an API. */
  readonly api: ApiHand | null;
  readonly namespace: string;
  /** Takes stops that go by file; null in a drill without one. */
  readonly stateFile: string | null;
  readonly history: HistorySink;
  readonly newId: () => string;
  readonly wallMs: () => number;
  /** Vouches for the store's head after a release. Never rejects. */
  readonly vouch: () => Promise<void>;
  /** Told of each flip that was taken. */
  readonly onFlip: (flip: Flip) => void;
}

/** The store is asked so long for what detectors have opened, should it be away. */
const OPEN_MS = 10_000;
const OPEN_LOOK_MS = 50;

/** A stop that is to be asked for, and how. */
interface AskedFor {
  readonly flip: Flip;
  /** Of an alert: what its detector had seen. */
  readonly observed: AskedStop | null;
  readonly take: (requestedNs: number) => Promise<Answered>;
}

/** A stop's id, and whether somebody took it. */
export interface Taken {
  readonly id: string;
  readonly isTaken: boolean;
}

/** The drill's operator: takes stops and releases, and remembers which engagements it opened on which switch. */
export class Operator {
  readonly #parts: OperatorParts;
  readonly #store: StoreHand;
  readonly #opened = new Map<string, string[]>();
  /** Stops of alerts by their engagement, as detectors see them from then on. */
  readonly #byAlert = new Map<string, AskedStop>();
  /** Switches that the fleet's own detectors have stopped. */
  readonly #byDetectors = new Set<string>();
  readonly #watched = new Set<Promise<void>>();
  #overtaken: AskedStop | null = null;
  #released: ReleaseFlip | null = null;
  #flips = 0;
  #revision = 0;

  constructor(parts: OperatorParts) {
    this.#parts = parts;
    this.#store = new StoreHand(parts);
  }

  /**
   * Asks for one stop, by its path; resolves once that has answered. `onDurable` is called once it is in the store, which for
   * a provisional answer is later; never for one that the store did not take (the history has the reason).
   */
  async stop(entry: FlipEntry, onDurable: (revision: number) => void, signal: AbortSignal): Promise<Taken> {
    if (entry.via === 'detector') return this.#stopByDetector(entry, onDurable, signal);
    const { flip, observed, take } = this.#stopOf(entry, signal);
    const answered = await this.#flip(flip, 'taken', take, (said, facts) => {
      if (said.kind === 'refused') return;
      this.#open(entry, flip.id);
      const there = (revision: number): void => {
        if (observed !== null) this.#byAlert.set(flip.id, { ...observed, observedRevision: revision });
        onDurable(revision);
      };
      if (said.kind === 'durable') there(said.revision);
      else this.#watch(facts, there, signal);
    });
    return { id: flip.id, isTaken: answered.kind !== 'refused' };
  }

  /** Resolves once every stop that was answered as provisional is in the store, or was waited for in vain. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#watched);
  }

  /** The last revision that the operator knows of; 0 before the first. */
  get revision(): number {
    return this.#revision;
  }

  /** Ids of what it has open on a switch. */
  openOn(on: { readonly scope: Flip['scope']; readonly target: string }): readonly string[] {
    return this.#opened.get(`${on.scope}:${targetOf(on)}`) ?? [];
  }

  /** Its last release that it put into the store itself, as signed; null before the first. */
  get released(): { readonly text: string; readonly signature: string; readonly flip: ReleaseFlip } | null {
    if (this.#released === null) return null;
    const text = canonicalText(this.#released);
    return { text, signature: this.#parts.sign(text), flip: this.#released };
  }

  /** The last stop of an alert that a release has opened, as its detector saw it; null for none. */
  get overtaken(): AskedStop | null {
    return this.#overtaken;
  }

  #open(entry: FlipEntry, id: string): void {
    this.#opened.set(`${entry.scope}:${targetOf(entry)}`, [...this.openOn(entry), id]);
  }

  #stopOf(entry: FlipEntry, signal: AbortSignal): AskedFor {
    if (entry.via === 'alert') return this.#stopByAlert(entry, signal);
    const { scope, mode, queue, drainMs, reason, via } = entry;
    const drain = drainMs === null ? {} : { drainMs };
    const common = this.#common(this.#parts.newId(), scope, targetOf(entry), reason);
    const flip: StopFlip = { ...common, kind: 'stop', mode, queue, ...drain };
    const take = (fromNs: number): Promise<Answered> => {
      if (via === 'file') return this.#putBesideFile(flip, signal);
      return via === 'api' ? there(this.#parts.api).halt(flip, signal) : this.#store.put(flip, fromNs, signal);
    };
    return { flip, observed: null, take };
  }

  /** Asks for it by an alert, and waits until an executor has put it into the store. */
  #stopByAlert(entry: FlipEntry, signal: AbortSignal): AskedFor {
    const { detectors } = this.#parts;
    const { scope, mode, reason } = entry;
    const on = { scope, target: targetOf(entry) };
    const observed: AskedStop = { on, mode, reason, observedRevision: this.#revision };
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
      if (error !== null) return { kind: 'refused', error, sentNs: this.#parts.clock.nowNs() };
      return this.#store.awaitFrom('no executor', flip.id, signal);
    };
    return { flip, observed, take };
  }

  /** Asks for nothing: lets a runaway loose, and waits until the fleet's own detectors have got its stop into the store. */
  async #stopByDetector(entry: FlipEntry, onDurable: (revision: number) => void, signal: AbortSignal): Promise<Taken> {
    const { runaways, history, clock, onFlip } = this.#parts;
    const { scope, target, mode, queue } = entry;
    if (runaways === null) {
      throw new KilldrillError(
        'NO_DETECTORS',
        `the stop of ${scope}:${target} is for detectors, which this fleet lacks`,
      );
    }
    const flip = (this.#flips += 1);
    const { looseNs, askedNs, sentNs, stop } = await runaways.letLoose(flip, { scope, target }, this.#revision, signal);
    const id = stop?.flip.id ?? 'none';
    const what = { scope, target, mode, queue, engagements: [], expected: 'taken' } as const;
    const facts: FlipFacts = { flip, kind: 'stop', ...what, id };
    history.append({ type: 'flip.requested', ...facts }, { t0: looseNs, t1: askedNs });
    const answered: Answered =
      stop === null
        ? { kind: 'refused', error: "no detector of the fleet's has got its stop into the store", sentNs }
        : { kind: 'durable', revision: stop.revision, sentNs };
    history.append({ type: 'flip.answered', ...facts, ...toldOf(answered) }, { t0: sentNs, t1: clock.nowNs() });
    if (stop !== null) {
      onFlip(stop.flip);
      this.#revision = Math.max(this.#revision, stop.revision);
      this.#byDetectors.add(`${scope}:${target}`);
      this.#open(entry, id);
      onDurable(stop.revision);
    }
    return { id, isTaken: stop !== null };
  }

  /**
   * Closes what this drill opened on that switch. What is refused, expected or not, stays open, and a later release names it
   * again.
   */
  async release(entry: ReleaseEntry, signal: AbortSignal): Promise<void> {
    const { scope, reason, expect, via } = entry;
    const target = targetOf(entry);
    const engagements = await this.#allOn(scope, target, signal);
    const common = this.#common(this.#parts.newId(), scope, target, reason);
    const flip: ReleaseFlip = { ...common, kind: 'release', engagements };
    const take = (fromNs: number): Promise<Answered> =>
      via === 'api' ? there(this.#parts.api).release(flip, signal) : this.#store.put(flip, fromNs, signal);
    const { kind } = await this.#flip(flip, expect, take);
    if (kind !== 'durable') return;
    this.#opened.delete(`${scope}:${target}`);
    // The text of a release that the API made is not ours.
    if (via === 'postgres') this.#released = flip;
    await this.#parts.vouch();
    this.#overtaken =
      engagements.map((id) => this.#byAlert.get(id)).findLast((one) => one !== undefined) ?? this.#overtaken;
  }

  /** What the drill opened there; each detector of the fleet's that was red has opened one of its own, which the store knows. */
  async #allOn(scope: Flip['scope'], target: string, signal: AbortSignal): Promise<readonly string[]> {
    const own = this.openOn({ scope, target });
    if (!this.#byDetectors.has(`${scope}:${target}`)) return own;
    let more: readonly string[] = [];
    const isAnswered = async (): Promise<boolean> => {
      const open = await this.#parts.store.openEngagements().catch(() => null);
      const here = open?.filter(({ flip }) => flip.scope === scope && flip.target === target) ?? [];
      more = here.flatMap(({ flip }) => (flip.triggeredBy === FLEET_DETECTOR ? [flip.id] : []));
      return open !== null;
    };
    await waitUntil(isAnswered, { boundMs: OPEN_MS, everyMs: OPEN_LOOK_MS, signal });
    return [...own, ...more.filter((id) => !own.includes(id))];
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
    onAnswer: (answered: Answered, facts: FlipFacts) => void = () => undefined,
  ): Promise<Answered> {
    const { clock, history } = this.#parts;
    this.#flips += 1;
    const facts = factsOf(this.#flips, flip, expected);
    const requestedNs = clock.nowNs();
    history.append({ type: 'flip.requested', ...facts }, { t0: requestedNs, t1: requestedNs });
    const answered = await take(requestedNs);
    const at = { t0: answered.sentNs, t1: clock.nowNs() };
    history.append({ type: 'flip.answered', ...facts, ...toldOf(answered) }, at);
    if (answered.kind !== 'refused') this.#parts.onFlip(flip);
    if (answered.kind === 'durable') this.#revision = Math.max(this.#revision, answered.revision);
    onAnswer(answered, facts);
    return answered;
  }

  /** Of a stop that its taker holds: the drill asks nobody again, and sees whether it gets into the store. */
  #watch(facts: FlipFacts, onDurable: (revision: number) => void, signal: AbortSignal): void {
    const { clock, history } = this.#parts;
    const watching = this.#store
      .await(facts.id, signal)
      .then((found) => {
        if (found === null || signal.aborted) return; // the history may be closed already
        const { revision, sentNs } = found;
        history.append({ type: 'flip.durable', ...facts, revision }, { t0: sentNs, t1: clock.nowNs() });
        this.#revision = Math.max(this.#revision, revision);
        onDurable(revision);
      })
      .catch(() => undefined) // interrupted
      .finally(() => this.#watched.delete(watching));
    this.#watched.add(watching);
  }

  /** Whoever watches the file enforces it, and brings it to the store once that is there. */
  async #putBesideFile(stop: StopFlip, signal: AbortSignal): Promise<Answered> {
    const { stateFile } = this.#parts;
    if (stateFile === null)
      throw new KilldrillError('NO_STATE_FILE', `the stop of ${stop.scope} goes by a file that this drill has not`);
    await haltByFile(stateFile, stop, this.#parts.sign);
    return this.#store.awaitFrom('no worker', stop.id, signal);
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
