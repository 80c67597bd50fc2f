import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { sealAlert } from '../../src/alerts/alert-sender.ts';
import type { SealedAlert } from '../../src/alerts/alert-sender.ts';
import type { AlertPublisher } from '../../src/alerts/alert-bus.ts';
import { judgeAlert } from '../../src/alerts/judge-alert.ts';
import type { AlertPolicy } from '../../src/alerts/judge-alert.ts';
import { sleep, waitUntil } from '../environment/wait.ts';
import type { DrillClock } from '../history/clock.ts';
import type { AlertFacts } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';
import type { AlertsEntry } from '../scenario/scenario.ts';
import type { StopMode, Switch } from '../../src/switch.ts';
import { DRILL_DETECTOR } from './drill-keys.ts';
import { poisonAlert } from './poison-alert.ts';
import { stormOf } from './storm.ts';

/** What a detector asks for. */
export interface AskedStop {
  readonly on: Switch;
  readonly mode: StopMode;
  readonly reason: string;
  /** The last revision that the detector had seen. */
  readonly observedRevision: number;
}

/** An alert that is ready to go. */
export interface ReadyAlert {
  readonly facts: AlertFacts;
  /** The text of the stop that it becomes in the store; null of poison. */
  readonly flipText: string | null;
  readonly sealed: SealedAlert;
}

export interface DetectorsParts {
  readonly publisher: AlertPublisher;
  readonly namespace: string;
  readonly privateKey: KeyObject;
  /** As the executors have it. */
  readonly policy: AlertPolicy;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly newId: () => string;
  readonly wallMs: () => number;
  /** How many of these contents, and how many poisoned ones, the store has on record. */
  readonly recorded: (contents: readonly string[]) => Promise<{ readonly sound: number; readonly poison: number }>;
  readonly signal: AbortSignal;
}

/** A broker that restarts is away for as long as this at most. */
const INSIST_MS = 40_000;
const AGAIN_MS = 50;
/** How many are on their way to the bus at once. */
const AT_ONCE = 32;
/** How long an executor may take for what is still to be recorded at the end. */
const SETTLE_MS = 15_000;
const SETTLE_LOOK_MS = 50;
const LIFE_MS = 600_000;

/** The drill's detectors: ask for stops by alerts, and put storms of them on the bus. */
export class Detectors {
  readonly #parts: DetectorsParts;
  readonly #publishing = new Set<Promise<void>>();
  readonly #acknowledged: AlertFacts[] = [];
  #alerts = 0;

  constructor(parts: DetectorsParts) {
    this.#parts = parts;
  }

  /** The number of the next alert of the drill. */
  nextAlert(): number {
    return (this.#alerts += 1);
  }

  /** The bus has this one for certain, whoever published it: it has to get on record before the end. */
  acknowledged(facts: AlertFacts): void {
    this.#acknowledged.push(facts);
  }

  /** An alert that asks for one stop of the timeline. @throws KilldrillError `ALERT_REFUSED` when no executor would take it. */
  ready(asked: AskedStop, kind: 'sound' | 'stale', flip: number | null): ReadyAlert {
    const { namespace, privateKey, newId, wallMs, policy } = this.#parts;
    const { on, mode, reason, observedRevision } = asked;
    const id = newId();
    const nowMs = wallMs();
    const sealed = sealAlert(
      {
        ...{ version: 1, namespace, id, detector: DRILL_DETECTOR, ...on, mode, reason, observedRevision },
        ...{ raisedAt: new Date(nowMs).toISOString(), expiresAt: new Date(nowMs + LIFE_MS).toISOString() },
      },
      privateKey,
    );
    const place = { topic: '', partition: 0, position: 0, publishedAtMs: nowMs };
    const judged = judgeAlert({ ...place, ...sealed }, policy, nowMs);
    if (judged.kind !== 'trip') {
      throw new KilldrillError(
        'ALERT_REFUSED',
        `the drill's own alert comes to no stop: it is ${judged.kind}, ${judged.why}`,
      );
    }
    const { flipId, text } = judged.trip;
    const facts: AlertFacts = {
      ...{ alert: this.nextAlert(), kind, flip, detector: DRILL_DETECTOR, id, ...on, mode, flipId },
      content: contentOf(sealed.bytes),
    };
    return { facts, flipText: text, sealed };
  }

  /**
   * Puts one on the bus, again and again until it has it: the same bytes may be there twice then, which is no second stop.
   *
   * @returns why the bus did not take it, or null
   */
  async send({ facts, sealed }: ReadyAlert, signal: AbortSignal): Promise<string | null> {
    const { publisher, clock, history } = this.#parts;
    const fromNs = clock.nowNs();
    for (;;) {
      const sentNs = clock.nowNs();
      history.append({ type: 'alert.published', ...facts }, { t0: sentNs, t1: sentNs });
      try {
        await publisher.publish(sealed.bytes, sealed.signature, sealed.key);
        history.append(
          { type: 'alert.acknowledged', ...facts, ok: true, error: null },
          { t0: sentNs, t1: clock.nowNs() },
        );
        this.acknowledged(facts);
        return null;
      } catch (thrown) {
        const error = messageOf(thrown);
        history.append({ type: 'alert.acknowledged', ...facts, ok: false, error }, { t0: sentNs, t1: clock.nowNs() });
        if (clock.nowNs() - fromNs > INSIST_MS * 1e6) return error;
        await sleep(AGAIN_MS, signal);
      }
    }
  }

  /**
   * Publishes what an entry asks for. What takes a time of its own goes on by itself, so that the timeline can do things to
   * executors meanwhile.
   *
   * @param overtaken the last stop of an alert that a release has opened, as its detector saw it; null for none
   */
  async publish(entry: AlertsEntry, observedRevision: number, overtaken: AskedStop | null): Promise<void> {
    const { history, signal } = this.#parts;
    const publishing = this.#storm(entry, observedRevision, overtaken)
      .catch((thrown: unknown) => {
        signal.throwIfAborted();
        history.append({ type: 'conductor.gaveUp', what: 'a storm of alerts', missing: messageOf(thrown) });
      })
      .finally(() => this.#publishing.delete(publishing));
    this.#publishing.add(publishing);
    publishing.catch(() => undefined); // the drill was interrupted: whoever waits for it next is told
    if (entry.overMs === 0) await publishing;
  }

  /** Everything is published, and the store has it on record; or executors had the time for it. */
  async settled(): Promise<void> {
    const { recorded, signal } = this.#parts;
    await Promise.all(this.#publishing);
    const wanted = [
      ...new Set(this.#acknowledged.filter(({ kind }) => kind !== 'poison').map(({ content }) => content)),
    ];
    const poison = this.#acknowledged.filter(({ kind }) => kind === 'poison').length;
    const isDone = async (): Promise<boolean> => {
      const there = await recorded(wanted).catch(() => null);
      return there !== null && there.sound >= wanted.length && there.poison >= poison;
    };
    await waitUntil(isDone, { boundMs: SETTLE_MS, everyMs: SETTLE_LOOK_MS, signal });
  }

  async #storm(entry: AlertsEntry, observedRevision: number, overtaken: AskedStop | null): Promise<void> {
    const { clock, signal } = this.#parts;
    const t0Ns = clock.nowNs();
    const made = new Map<number, ReadyAlert>();
    const waiting = stormOf(entry).values();
    setMaxListeners(2 * AT_ONCE, signal); // each lane sleeps on it: nothing leaks
    const lane = async (): Promise<void> => {
      for (const item of waiting) {
        await sleep((t0Ns - clock.nowNs()) / 1e6 + item.at * entry.overMs, signal);
        const alert = this.#make(item, made, observedRevision, overtaken);
        if (alert !== null) await this.send(alert, signal);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }

  #make(
    item: ReturnType<typeof stormOf>[number],
    made: Map<number, ReadyAlert>,
    observedRevision: number,
    overtaken: AskedStop | null,
  ): ReadyAlert | null {
    switch (item.kind) {
      case 'sound': {
        const asked = { on: item.on, mode: 'halt_all', reason: `storm ${item.nth}`, observedRevision } as const;
        const alert = this.ready(asked, 'sound', null);
        made.set(item.nth, alert);
        return alert;
      }
      case 'again': {
        const first = made.get(item.nth);
        if (first === undefined) return null;
        return { ...first, facts: { ...first.facts, alert: this.nextAlert(), kind: 'again' } };
      }
      case 'stale':
        return overtaken === null ? null : this.ready(overtaken, 'stale', null);
      case 'poison':
        return this.#poison(item.nth);
      default:
        throw new TypeError(`unknown alert ${JSON.stringify(item satisfies never)}`);
    }
  }

  #poison(nth: number): ReadyAlert {
    const { namespace, privateKey, newId, wallMs } = this.#parts;
    const sealed = poisonAlert(nth, { namespace, privateKey, id: newId(), nowMs: wallMs() });
    const nothing = { flip: null, detector: null, id: null, scope: null, target: null, mode: null, flipId: null };
    const facts: AlertFacts = {
      ...{ alert: this.nextAlert(), kind: 'poison', ...nothing, content: contentOf(sealed.bytes) },
    };
    return { facts, flipText: null, sealed };
  }
}

function contentOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
