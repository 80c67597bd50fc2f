import { KilldrillError, messageOf } from '../../src/errors.ts';
import { haltByFile } from '../../src/propagation/halt-by-file.ts';
import { canonicalText, parseFlip } from '../../src/flip-text.ts';
import type { FlipStore } from '../../src/store/store.ts';
import { GLOBAL_TARGET } from '../../src/switch.ts';
import type { Flip, ReleaseFlip, StopFlip } from '../../src/switch.ts';
import type { DrillClock } from '../history/clock.ts';
import type { FlipFacts } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';
import type { FlipEntry, ReleaseEntry } from '../scenario/scenario.ts';
import { sleep, waitUntil } from '../environment/wait.ts';
import type { AskedStop, Detectors } from './detectors.ts';
import { factsOf } from './flip-events.ts';
import { FLEET_DETECTOR } from './drill-keys.ts';
import type { Runaways } from './runaways.ts';

interface OperatorParts {
  readonly store: FlipStore;
  /** Ask for the stops of alerts; null where nobody reads them. */
  readonly detectors: Detectors | null;
  /** What the fleet's own detectors are to notice; null for a fleet without any. */
  readonly runaways: Runaways | null;
  /** The revision of a flip in the store; null while it is not there. */
  readonly look: (id: string) => Promise<number | null>;
  readonly namespace: string;
  /** Takes stops that go by file; null in a drill without one. */
  readonly stateFile: string | null;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly newId: () => string;
  readonly wallMs: () => number;
  /** Signs as the operator. */
  readonly sign: (text: string) => string;
  /** Vouches for the store's head after a release. Never rejects. */
  readonly vouch: () => Promise<void>;
  /** Told of each flip that the store took. */
  readonly onFlip: (flip: Flip) => void;
}

/** While the store is away a flip is offered again, under its same id, for as long as this. */
const INSIST_MS = 10_000;
const AGAIN_MS = 50;
/** An executor that is killed in between is back, and has joined its bus, within less. */
const ALERT_MS = 30_000;
const ALERT_LOOK_MS = 4;

interface Answered {
  /** Null when the store did not take it, and then `error` says why. */
  readonly revision: number | null;
  readonly error: string | null;
  /** When the question was sent whose answer this is. */
  readonly sentNs: number;
}

/** A stop's id, and where it stands. */
export interface Taken {
  readonly id: string;
  readonly revision: number | null;
}

/** The drill's operator: takes stops and releases, and remembers which engagements it opened on which switch. */
export class Operator {
  readonly #parts: OperatorParts;
  readonly #opened = new Map<string, string[]>();
  /** Stops of alerts by their engagement, as detectors see them from then on. */
  readonly #byAlert = new Map<string, AskedStop>();
  /** Switches that the fleet's own detectors have stopped. */
  readonly #byDetectors = new Set<string>();
  #overtaken: AskedStop | null = null;
  #released: ReleaseFlip | null = null;
  #flips = 0;
  #revision = 0;

  constructor(parts: OperatorParts) {
    this.#parts = parts;
  }

  /** Makes one stop durable; its revision is null when the store did not take it (the history has the reason). */
  async stop(entry: FlipEntry, signal: AbortSignal): Promise<Taken> {
    const taken = await this.#take(entry, signal);
    const { id, revision } = taken;
    const on = `${entry.scope}:${targetOf(entry)}`;
    if (revision !== null) this.#opened.set(on, [...(this.#opened.get(on) ?? []), id]);
    return taken;
  }

  /** The last revision that the operator knows of; 0 before the first. */
  get revision(): number {
    return this.#revision;
  }

  /** Ids of what it has open on a switch. */
  openOn(on: { readonly scope: Flip['scope']; readonly target: string }): readonly string[] {
    return this.#opened.get(`${on.scope}:${targetOf(on)}`) ?? [];
  }

  /** Its last release that the store took, as signed; null before the first. */
  get released(): { readonly text: string; readonly signature: string; readonly flip: ReleaseFlip } | null {
    if (this.#released === null) return null;
    const text = canonicalText(this.#released);
    return { text, signature: this.#parts.sign(text), flip: this.#released };
  }

  /** The last stop of an alert that a release has opened, as its detector saw it; null for none. */
  get overtaken(): AskedStop | null {
    return this.#overtaken;
  }

  #take(entry: FlipEntry, signal: AbortSignal): Promise<Taken> {
    switch (entry.via) {
      case 'postgres':
      case 'file':
        return this.#stop(entry, signal);
      case 'alert':
        return this.#stopByAlert(entry, signal);
      case 'detector':
        return this.#stopByDetector(entry, signal);
      default:
        throw new TypeError(`unknown path ${String(entry.via satisfies never)}`);
    }
  }

  async #stop(entry: FlipEntry, signal: AbortSignal): Promise<Taken> {
    const id = this.#parts.newId();
    const { scope, mode, queue, drainMs, reason } = entry;
    const drain = drainMs === null ? {} : { drainMs };
    const stop = { ...this.#common(id, scope, targetOf(entry), reason), kind: 'stop', mode, queue, ...drain } as const;
    const take = (fromNs: number): Promise<Answered> =>
      entry.via === 'file' ? this.#putBesideFile(stop, signal) : this.#put(stop, fromNs, signal);
    return { id, revision: await this.#flip(stop, 'taken', take) };
  }

  /** Asks for it by an alert, and waits until an executor has put it into the store. */
  async #stopByAlert(entry: FlipEntry, signal: AbortSignal): Promise<Taken> {
    const { detectors } = this.#parts;
    const { scope, mode, reason } = entry;
    const asked: AskedStop = {
      ...{ on: { scope, target: targetOf(entry) }, mode, reason, observedRevision: this.#revision },
    };
    const alert = detectors?.ready(asked, 'sound', this.#flips + 1) ?? null;
    if (detectors === null || alert?.flipText === undefined || alert.flipText === null) {
      throw new KilldrillError(
        'NO_EXECUTORS',
        `the stop of ${scope} goes by an alert, which nobody reads in this drill`,
      );
    }
    const stop = parseFlip(alert.flipText);
    const revision = await this.#flip(stop, 'taken', async () => {
      const error = await detectors.send(alert, signal);
      return error === null ? this.#awaitInStore(stop.id, signal) : { revision: null, error, sentNs: this.#nowNs() };
    });
    if (revision !== null) this.#byAlert.set(stop.id, { ...asked, observedRevision: revision });
    return { id: stop.id, revision };
  }

  /** Asks for nothing: lets a runaway loose, and waits until the fleet's own detectors have got its stop into the store. */
  async #stopByDetector(entry: FlipEntry, signal: AbortSignal): Promise<Taken> {
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
    const revision = stop?.revision ?? null;
    const error = stop === null ? "no detector of the fleet's has got its stop into the store" : null;
    const ok = stop !== null;
    history.append({ type: 'flip.answered', ...facts, ok, revision, error }, { t0: sentNs, t1: clock.nowNs() });
    if (stop !== null) {
      onFlip(stop.flip);
      this.#revision = Math.max(this.#revision, stop.revision);
      this.#byDetectors.add(`${scope}:${target}`);
    }
    return { id, revision };
  }

  /**
   * Closes what this drill opened on that switch; its revision, or null when the store did not take it. What is refused,
   * expected or not, stays open, and a later release names it again.
   */
  async release(entry: ReleaseEntry, signal: AbortSignal): Promise<number | null> {
    const { scope, reason, expect } = entry;
    const target = targetOf(entry);
    const engagements = await this.#allOn(scope, target, signal);
    const common = this.#common(this.#parts.newId(), scope, target, reason);
    const release = { ...common, kind: 'release', engagements } as const;
    const revision = await this.#flip(release, expect, (fromNs) => this.#put(release, fromNs, signal));
    if (revision === null) return null;
    this.#opened.delete(`${scope}:${target}`);
    this.#released = release;
    await this.#parts.vouch();
    this.#overtaken =
      engagements.map((id) => this.#byAlert.get(id)).findLast((one) => one !== undefined) ?? this.#overtaken;
    return revision;
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
    await waitUntil(isAnswered, { boundMs: INSIST_MS, everyMs: AGAIN_MS, signal });
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
    take: (requestedNs: number) => Promise<Answered>,
  ): Promise<number | null> {
    const { clock, history } = this.#parts;
    this.#flips += 1;
    const facts = factsOf(this.#flips, flip, expected);
    const requestedNs = clock.nowNs();
    history.append({ type: 'flip.requested', ...facts }, { t0: requestedNs, t1: requestedNs });
    const { revision, error, sentNs } = await take(requestedNs);
    history.append(
      { type: 'flip.answered', ...facts, ok: revision !== null, revision, error },
      { t0: sentNs, t1: clock.nowNs() },
    );
    if (revision !== null) {
      this.#parts.onFlip(flip);
      this.#revision = Math.max(this.#revision, revision);
    }
    return revision;
  }

  /** Whoever watches the file enforces it, and brings it to the store once that is there. */
  async #putBesideFile(stop: StopFlip, signal: AbortSignal): Promise<Answered> {
    const { stateFile } = this.#parts;
    if (stateFile === null)
      throw new KilldrillError('NO_STATE_FILE', `the stop of ${stop.scope} goes by a file that this drill has not`);
    await haltByFile(stateFile, stop, this.#parts.sign);
    return this.#awaitInStore(stop.id, signal, 'no worker');
  }

  async #awaitInStore(id: string, signal: AbortSignal, who = 'no executor'): Promise<Answered> {
    let answered: Answered = { revision: null, error: `${who} has put it into the store`, sentNs: this.#nowNs() };
    const isThere = async (): Promise<boolean> => {
      const sentNs = this.#nowNs();
      const revision = await this.#parts.look(id).catch(() => null);
      if (revision !== null) answered = { revision, error: null, sentNs };
      return revision !== null;
    };
    await waitUntil(isThere, { boundMs: ALERT_MS, everyMs: ALERT_LOOK_MS, signal });
    return answered;
  }

  #nowNs(): number {
    return this.#parts.clock.nowNs();
  }

  /** The same id and text may be offered again: the store takes it once and gives the first answer. */
  async #put(flip: Flip, requestedNs: number, signal: AbortSignal): Promise<Answered> {
    const { store, clock, sign } = this.#parts;
    const text = canonicalText(flip);
    for (;;) {
      const sentNs = clock.nowNs();
      try {
        const { record } = await store.flip(text, sign(text));
        return { revision: record.revision, error: null, sentNs };
      } catch (error) {
        const again = error instanceof KilldrillError && error.code === 'STORE_UNREACHABLE';
        const tooLate = clock.nowNs() - requestedNs > INSIST_MS * 1e6;
        if (!again || tooLate) return { revision: null, error: messageOf(error), sentNs };
        await sleep(AGAIN_MS, signal);
      }
    }
  }
}

function targetOf({ scope, target }: { readonly scope: Flip['scope']; readonly target: string }): string {
  return scope === 'global' ? GLOBAL_TARGET : target;
}
