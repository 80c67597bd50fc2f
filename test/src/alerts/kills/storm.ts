import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { vi } from 'vitest';
import { makePrng } from '../../../../harness/traffic/prng.ts';
import type { Prng } from '../../../../harness/traffic/prng.ts';
import { judgeAlert } from '../../../../src/alerts/judge-alert.ts';
import type { AlertPublisher } from '../../../../src/alerts/alert-bus.ts';
import { openAlertPublisher } from '../../../../src/store/postgres/alert-bus.ts';
import type { Opened } from '../../../../src/store/postgres/flip-source.ts';
import { below, pick } from '../../store/postgres/queue-storm.ts';
import { PATIENT } from '../../store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../../store/postgres/prepared-database.ts';
import { messageOf, newDetector, policyFor, raw, signed } from '../samples.ts';
import type { Sent } from '../samples.ts';
import type { ExecutorOrder } from './executor-main.ts';
import { ExecutorProcess } from './executor-process.ts';
import { judgeKills } from './judge.ts';
import type { SentAlert } from './judge.ts';

export interface KillReport {
  readonly wrong: readonly string[];
  readonly exposure: {
    readonly kills: number;
    /** Kills while alerts were there that the store had not recorded. */
    readonly withWorkInHand: number;
    /** Kills of processes that had not read anything yet. */
    readonly beforeReading: number;
    /** Kills of processes that had made records already. */
    readonly whileRecording: number;
    readonly alerts: number;
    readonly flips: number;
    readonly poison: number;
    readonly duplicates: number;
    /** From a kill to the next record by anybody, milliseconds: where it was the only one, the next one's start included. */
    readonly untilNextRecordMs: { readonly alone: Spread; readonly withAnother: Spread };
    /** What the processes reported, and how often. */
    readonly errors: Readonly<Record<string, number>>;
  };
}

interface Spread {
  readonly n: number;
  readonly median: number;
  readonly worst: number;
}

interface Stage {
  readonly database: PreparedDatabase;
  readonly namespace: string;
  readonly main: string;
  readonly seed: string;
}

const TOPIC = 'killdrill.alerts';
const WAIT = { timeout: 60_000, interval: 20 };

/** One executor at a time for the first half of the kills, two for the second, and a detector that never rests. */
export class KillStorm {
  readonly #stage: Stage;
  readonly #prng: Prng;
  readonly #detector = newDetector();
  readonly #publisher: Opened<AlertPublisher>;
  readonly #owner: pg.Client;
  readonly #order: ExecutorOrder;
  readonly #sent: SentAlert[] = [];
  readonly #alerts: Sent[] = [];
  #alive: ExecutorProcess[] = [];
  #isOver = false;
  #withWorkInHand = 0;
  #beforeReading = 0;
  #whileRecording = 0;
  readonly #killed: { readonly atMs: number; readonly wasAlone: boolean }[] = [];
  #log = '';

  private constructor(stage: Stage, owner: pg.Client) {
    const { database, namespace, seed } = stage;
    const { workerUrl, flipperUrl } = database;
    const timings = { ...PATIENT };
    this.#stage = stage;
    this.#owner = owner;
    this.#prng = makePrng(seed);
    this.#publisher = openAlertPublisher({ connectionString: workerUrl, namespace, topic: TOPIC, timings });
    this.#order = { namespace, topic: TOPIC, workerUrl, flipperUrl, keys: [this.#detector.entry], timings };
  }

  static async open(stage: Stage): Promise<KillStorm> {
    return new KillStorm(stage, await stage.database.connect(stage.database.ownerUrl));
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#alive.map((one) => one.kill()));
    await this.#publisher.close();
  }

  async rage(kills: number): Promise<KillReport> {
    const stream = this.#stream(this.#prng.split('alerts'));
    const moments = this.#prng.split('kills');
    try {
      for (let kill = 0; kill < kills; kill += 1) {
        while (this.#alive.length < (kill < kills / 2 ? 1 : 2)) this.#start();
        await this.#killOne(moments);
      }
    } finally {
      this.#isOver = true;
      await stream;
    }
    this.#start();
    await this.#settled();
    return this.#report(kills);
  }

  #start(): void {
    this.#alive = [...this.#alive, new ExecutorProcess(this.#stage.main, this.#order)];
  }

  /** Some die while they start, some as they begin to read, most in the midst of recording. */
  async #killOne(prng: Prng): Promise<void> {
    const one = pick(prng, this.#alive);
    const [moment, answers, afterMs] = [prng.uniform(), 1 + below(prng, 25), below(prng, 20)];
    if (moment >= 0.2) await this.#said(one, moment < 0.4 ? 'read' : 'answered', moment < 0.4 ? 1 : answers);
    await pause(moment < 0.2 ? afterMs * 15 : afterMs);
    if (!one.said.has('read')) this.#beforeReading += 1;
    if (one.said.has('answered')) this.#whileRecording += 1;
    const isAnotherReading = this.#alive.some((other) => other !== one && other.said.has('read'));
    await one.kill();
    this.#killed.push({ atMs: Date.now(), wasAlone: !isAnotherReading });
    this.#log += one.log;
    this.#alive = this.#alive.filter((other) => other !== one);
    const { position, end } = await this.#places();
    if (position < end) this.#withWorkInHand += 1;
  }

  /** Until it has said a word so often in this life. */
  async #said(one: ExecutorProcess, word: string, times: number): Promise<void> {
    await vi.waitFor(
      () => {
        const so = one.said.get(word) ?? 0;
        const life = one.isAlive ? 'alive' : 'ended by itself';
        if (so < times) throw new Error(`an executor (${life}) said '${word}' ${so} of ${times} times: ${one.log}`);
      },
      { ...WAIT, interval: 2 },
    );
  }

  /** Bursts, so that there is always something in hand; one after another, so that each has its position. */
  async #stream(prng: Prng): Promise<void> {
    for (let number = 0; !this.#isOver; number += 1) {
      for (let burst = 1 + below(prng, 6); burst > 0 && !this.#isOver; burst -= 1) {
        await this.#publish(this.#draw(prng, `${number}-${burst}`));
      }
      await pause(below(prng, 60));
    }
  }

  #draw(prng: Prng, id: string): Sent {
    const kind = prng.uniform();
    if (kind < 0.15) return raw(`poison ${id}`);
    const [before] = this.#alerts.slice(-1 - below(prng, 10));
    if (kind < 0.25 && before !== undefined) return before;
    const { namespace } = this.#stage;
    const now = Date.now();
    const at = { raisedAt: new Date(now).toISOString(), expiresAt: new Date(now + 3_600_000).toISOString() };
    // Some are enforced before the store has answered, most wait for it.
    const seen = prng.uniform() < 0.3 ? { observedRevision: 1_000_000 } : {};
    return signed(this.#detector, { namespace, id, target: `tenant-${id}`, ...at, ...seen });
  }

  async #publish(alert: Sent): Promise<void> {
    await this.#publisher.publish(alert.bytes, alert.signature, 'one');
    const policy = policyFor([this.#detector], { namespace: this.#stage.namespace });
    const judgement = judgeAlert(messageOf(alert), policy, Date.now());
    if (judgement.kind === 'trip') this.#alerts.push(alert);
    const flipId = judgement.kind === 'trip' ? judgement.trip.flipId : null;
    this.#sent.push({ position: this.#sent.length, flipId });
  }

  async #settled(): Promise<void> {
    await vi.waitFor(async () => {
      const { position, end } = await this.#places();
      const logs = (): string => this.#alive.map(({ log }) => log.slice(-500)).join(' | ');
      if (position < end) throw new Error(`the position is ${position}, the end ${end}: ${logs()}`);
    }, WAIT);
  }

  async #places(): Promise<{ readonly position: number; readonly end: number }> {
    const [row] = await this.#rows<{ position: number; end: number }>(
      `select coalesce((select position::integer from killdrill.alert_position where namespace = $1), 0) as position,
              coalesce((select next::integer from killdrill.alert_topic where namespace = $1), 0) as "end"`,
    );
    return row ?? { position: 0, end: 0 };
  }

  async #report(kills: number): Promise<KillReport> {
    const records = await this.#rows<{ position: number; kind: string; flipId: string | null; at: number }>(
      `select position::integer, kind, flip_id as "flipId", extract(epoch from at)::float * 1000 as at
       from killdrill.alert_record where namespace = $1 order by at`,
    );
    const flips = await this.#rows<{ id: string }>(
      'select id from killdrill.flip where namespace = $1 order by revision',
    );
    const letters = await this.#rows<{ position: number }>(
      'select position::integer from killdrill.alert_dead_letter where namespace = $1',
    );
    const count = (kind: string): number => records.filter((record) => record.kind === kind).length;
    const untilNext = (wasAlone: boolean): Spread => {
      const killed = this.#killed.filter((kill) => kill.wasAlone === wasAlone);
      return spread(
        killed.flatMap(({ atMs }) => {
          const next = records.find(({ at }) => at > atMs);
          return next === undefined ? [] : [next.at - atMs];
        }),
      );
    };
    return {
      wrong: judgeKills({
        ...{ sent: this.#sent, records, ...(await this.#places()) },
        flips: flips.map(({ id }) => id),
        letters: letters.map(({ position }) => position),
      }),
      exposure: {
        ...{ kills, withWorkInHand: this.#withWorkInHand, beforeReading: this.#beforeReading },
        whileRecording: this.#whileRecording,
        ...{ alerts: this.#sent.length, flips: count('flip'), poison: count('poison'), duplicates: count('duplicate') },
        untilNextRecordMs: { alone: untilNext(true), withAnother: untilNext(false) },
        errors: this.#errors(),
      },
    };
  }

  #errors(): Readonly<Record<string, number>> {
    const errors: Record<string, number> = {};
    for (const line of this.#log.split('\n').filter((text) => text !== '')) {
      const what = line.slice(0, 100);
      errors[what] = (errors[what] ?? 0) + 1;
    }
    return errors;
  }

  async #rows<T extends pg.QueryResultRow>(sql: string): Promise<readonly T[]> {
    return (await this.#owner.query<T>(sql, [this.#stage.namespace])).rows;
  }
}

function spread(values: readonly number[]): Spread {
  const sorted = values.map((value) => Math.round(value)).toSorted((one, other) => one - other);
  return { n: sorted.length, median: sorted[Math.floor(sorted.length / 2)] ?? 0, worst: sorted.at(-1) ?? 0 };
}
