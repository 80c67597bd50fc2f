import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { vi } from 'vitest';
import { makePrng } from '../../../../harness/traffic/prng.ts';
import type { Prng } from '../../../../harness/traffic/prng.ts';
import type { AlertPublisher } from '../../../../src/alerts/alert-bus.ts';
import type { Opened } from '../../../../src/store/postgres/flip-source.ts';
import { below, pick } from '../../store/postgres/queue-storm.ts';
import { PATIENT } from '../../store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../../store/postgres/prepared-database.ts';
import { openBusOf, openPublisherOf } from '../bus-order.ts';
import type { BusOrder } from '../bus-order.ts';
import { followRegistry } from '../following-registry.ts';
import type { FollowingRegistry } from '../following-registry.ts';
import { readTopic } from '../read-topic.ts';
import type { ExecutorOrder } from './executor-main.ts';
import { ExecutorProcess } from './executor-process.ts';
import { judgeKills } from './judge.ts';
import { spreadOf } from './spread.ts';
import type { Spread } from './spread.ts';
import { StormAlerts } from './storm-alerts.ts';

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
    /**
     * Without a storm: from a kill until a stop that is asked for at once is enforced in another process, milliseconds.
     * Where it was the only executor, the next one's start is part of it.
     */
    readonly untilNextStopMs: Calm;
    /** From the start of a process to the first time that it said a word, milliseconds. */
    readonly firstSaidMs: Readonly<Record<string, Spread>>;
    /** What the processes reported, and how often. */
    readonly errors: Readonly<Record<string, number>>;
  };
}

interface Calm {
  readonly alone: Spread;
  readonly withAnother: Spread;
}

export interface Stage {
  readonly database: PreparedDatabase;
  readonly namespace: string;
  readonly bus: BusOrder;
  readonly main: string;
  /** Places of the dead letters that the bus keeps, `partition/position` each. */
  readonly letters: () => Promise<readonly string[]>;
  readonly seed: string;
}

const WAIT = { timeout: 60_000, interval: 20 };
const WORDS = ['imported', 'loaded', 'reading', 'read', 'answered'];
const NEXT = 'next-';
const STANDSTILL_MS = 20_000;

interface Opening {
  readonly owner: pg.Client;
  readonly publisher: Opened<AlertPublisher>;
  readonly following: FollowingRegistry;
}

/** One executor at a time for the first half of the kills, two for the second, and a detector that never rests. */
export class KillStorm {
  readonly #stage: Stage;
  readonly #prng: Prng;
  readonly #opened: Opening;
  readonly #order: Omit<ExecutorOrder, 'member'>;
  readonly #alerts: StormAlerts;
  /** When stops that were asked for after a kill were enforced in this process. */
  readonly #enforcedMs = new Map<string, number>();
  #alive: ExecutorProcess[] = [];
  #isOver = false;
  #withWorkInHand = 0;
  #beforeReading = 0;
  #whileRecording = 0;
  readonly #firstSaidMs = new Map<string, number[]>(WORDS.map((word) => [word, []]));
  #log = '';

  private constructor(stage: Stage, opened: Opening) {
    const { database, namespace, bus, seed } = stage;
    const { workerUrl, flipperUrl } = database;
    this.#stage = stage;
    this.#opened = opened;
    this.#prng = makePrng(seed);
    opened.following.registry.onChange((registry) => {
      const nowMs = performance.now();
      for (const { target } of registry.openEngagements()) {
        if (target.startsWith(NEXT) && !this.#enforcedMs.has(target)) this.#enforcedMs.set(target, nowMs);
      }
    });
    this.#alerts = new StormAlerts(namespace, opened.publisher);
    const keys = [this.#alerts.detector.entry];
    this.#order = { namespace, bus, workerUrl, flipperUrl, keys, timings: { ...PATIENT } };
  }

  static async open(stage: Stage): Promise<KillStorm> {
    const { database, namespace, bus } = stage;
    const asWorker = { connectionString: database.workerUrl, namespace, timings: PATIENT };
    const owner = await database.connect(database.ownerUrl);
    const following = await followRegistry(asWorker);
    return new KillStorm(stage, { owner, following, publisher: await openPublisherOf(bus, asWorker) });
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#alive.map((one) => one.kill()));
    await Promise.all([this.#opened.publisher.close(), this.#opened.following.close()]);
  }

  /** Kills under a storm of alerts; then so many of each kind without one, of which the next stop is timed. */
  async rage(kills: number, calmKills: number): Promise<KillReport> {
    const stream = this.#stream(this.#prng.split('alerts'));
    const moments = this.#prng.split('kills');
    try {
      for (let kill = 0; kill < kills; kill += 1) {
        while (this.#alive.length < (kill < kills / 2 ? 1 : 2)) this.#start(`executor-${this.#alive.length}`);
        await this.#killOne(moments);
      }
    } finally {
      this.#isOver = true;
      await stream;
    }
    await this.#settled();
    return this.#report(kills, await this.#killCalmly(calmKills));
  }

  /** One of two, then the only one, again and again. */
  async #killCalmly(calmKills: number): Promise<Calm> {
    const prng = this.#prng.split('calm');
    const withAnother = await this.#killWithAStopBehind(prng, calmKills);
    const [one] = this.#alive;
    if (one !== undefined) await this.#kill(one);
    const alone = await this.#killWithAStopBehind(prng, calmKills);
    await this.#settled();
    return { alone: spreadOf(alone), withAnother: spreadOf(withAnother) };
  }

  async #killWithAStopBehind(prng: Prng, calmKills: number): Promise<readonly number[]> {
    const took: number[] = [];
    for (let kill = 0; kill < calmKills; kill += 1) {
      await Promise.all(this.#alive.map((one) => this.#said(one, 'reading', 1)));
      await this.#settled();
      const one = pick(prng, this.#alive);
      const fromMs = performance.now();
      await this.#kill(one);
      this.#start(one.member);
      const target = `${NEXT}${randomUUID()}`;
      await this.#alerts.publish(this.#alerts.stopOf(randomUUID(), target));
      const enforcedMs = await vi.waitFor(() => {
        const atMs = this.#enforcedMs.get(target);
        if (atMs === undefined) throw new Error(`the stop of ${target} after a kill is not enforced`);
        return atMs;
      }, WAIT);
      took.push(enforcedMs - fromMs);
    }
    return took;
  }

  async #kill(one: ExecutorProcess): Promise<void> {
    await one.kill();
    this.#alive = this.#alive.filter((other) => other !== one);
    this.#log += one.log;
    for (const [word, ms] of one.firstMs) this.#firstSaidMs.get(word)?.push(ms);
  }

  /** Who comes after another has its name. */
  #start(member: string): void {
    this.#alive = [...this.#alive, new ExecutorProcess(this.#stage.main, { ...this.#order, member })];
  }

  /** Some die while they start, some as they begin to read, most in the midst of recording. */
  async #killOne(prng: Prng): Promise<void> {
    const one = pick(prng, this.#alive);
    const [moment, answers, afterMs] = [prng.uniform(), 1 + below(prng, 25), below(prng, 20)];
    if (moment >= 0.2) await this.#said(one, moment < 0.4 ? 'read' : 'answered', moment < 0.4 ? 1 : answers);
    await pause(moment < 0.2 ? afterMs * 15 : afterMs);
    if (!one.said.has('read')) this.#beforeReading += 1;
    if (one.said.has('answered')) this.#whileRecording += 1;
    await this.#kill(one);
    this.#start(one.member);
    const { length } = this.#alerts.acknowledged;
    if ((await this.#passed()) < length) this.#withWorkInHand += 1;
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
        await this.#alerts.publish(this.#alerts.draw(prng, `${number}-${burst}`));
      }
      await pause(below(prng, 60));
    }
  }

  /** However long it takes on a busy machine, as long as it goes on. */
  async #settled(): Promise<void> {
    const { length } = this.#alerts.acknowledged;
    for (let [passed, sinceMs] = [-1, 0]; passed < length; await pause(WAIT.interval)) {
      const before = passed;
      passed = await this.#passed();
      if (passed > before) sinceMs = performance.now();
      if (performance.now() - sinceMs < STANDSTILL_MS) continue;
      const logs = this.#alive.map(({ log, said }) => `${log.slice(-500)} ${JSON.stringify([...said])}`).join(' | ');
      const places = JSON.stringify(await this.#positions());
      throw new Error(`the positions stand still at ${passed} of ${length} alerts (${places}): ${logs}`);
    }
  }

  /** How many messages the store's positions have passed. */
  async #passed(): Promise<number> {
    return (await this.#positions()).reduce((sum, { position }) => sum + position, 0);
  }

  #positions(): Promise<readonly { readonly partition: number; readonly position: number }[]> {
    return this.#rows('select partition, position::integer from killdrill.alert_position where namespace = $1');
  }

  async #report(kills: number, untilNextStopMs: Calm): Promise<KillReport> {
    const { database, namespace, bus: order } = this.#stage;
    const asFlipper = { connectionString: database.flipperUrl, namespace, timings: PATIENT };
    const bus = await openBusOf(order, asFlipper, 'reader');
    const { messages, ends } = await readTopic(bus, WAIT.timeout);
    const records = await this.#rows<{ place: string; kind: string; flipId: string | null }>(
      `select partition || '/' || position as place, kind, flip_id as "flipId"
       from killdrill.alert_record where namespace = $1`,
    );
    const flips = await this.#rows<{ id: string }>(
      'select id from killdrill.flip where namespace = $1 order by revision',
    );
    const positions = new Map((await this.#positions()).map(({ partition, position }) => [partition, position]));
    const count = (kind: string): number => records.filter((record) => record.kind === kind).length;
    return {
      wrong: judgeKills({
        acknowledged: this.#alerts.acknowledged,
        onBus: messages.map(({ partition, position, bytes }) => {
          return { place: `${partition}/${position}`, content: Buffer.from(bytes).toString() };
        }),
        ...{ records, flips: flips.map(({ id }) => id), letters: await this.#stage.letters() },
        partitions: [...ends].map(([partition, end]) => {
          return { partition, end, position: positions.get(partition) ?? 0 };
        }),
      }),
      exposure: {
        ...{ kills, withWorkInHand: this.#withWorkInHand, beforeReading: this.#beforeReading },
        ...{ whileRecording: this.#whileRecording, alerts: this.#alerts.acknowledged.length, flips: count('flip') },
        ...{ poison: count('poison'), duplicates: count('duplicate') },
        untilNextStopMs,
        firstSaidMs: Object.fromEntries([...this.#firstSaidMs].map(([word, all]) => [word, spreadOf(all)])),
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
    return (await this.#opened.owner.query<T>(sql, [this.#stage.namespace])).rows;
  }
}
