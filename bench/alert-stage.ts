import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { ChildProcess } from 'node:child_process';
import pg from 'pg';
import { judgeAlert } from '../src/alerts/judge-alert.ts';
import type { AlertPolicy } from '../src/alerts/judge-alert.ts';
import { canonicalText, readDetectorKeys, sealAlert } from '../src/index.ts';
import type { AlertPublisher, SealedAlert } from '../src/index.ts';
import type { Opened } from '../src/store/postgres/flip-source.ts';
import { openFlipStore } from '../src/store/postgres/flip-store.ts';
import type { FlipStore } from '../src/store/store.ts';
import { openWirePublisher } from './alert-wire.ts';
import type { AlertWire } from './alert-wire.ts';
import type { ExecutorTold } from './alert-executor.ts';
import { endChild, forkBench, heard, withListeners } from './listeners.ts';

export const DETECTOR = 'bench';
const LIFE_MS = 600_000;
/** All alerts of a bench are in one partition, so that each waits for those before it. */
const KEY = 'bench';
const LOOK_MS = 10;
const SETTLE_MS = 30_000;

export interface StageOptions {
  readonly wire: AlertWire;
  readonly url: string;
  readonly namespace: string;
  readonly processes: number;
}

/** An alert that is ready to be sent, and the flip that it has to become. */
export interface ReadyAlert extends SealedAlert {
  readonly flipId: string;
}

/** Several processes that stops have to reach, an executor in one more, and a detector in this one. */
export class AlertStage {
  readonly wire: AlertWire;
  readonly url: string;
  readonly namespace: string;
  readonly executor: ChildProcess;
  readonly publisher: Opened<AlertPublisher>;
  readonly privateKey: KeyObject;
  /** Flips of the alerts that the bus has acknowledged. */
  readonly acknowledged: string[] = [];
  readonly #listeners: readonly ChildProcess[];
  readonly #store: Opened<FlipStore>;
  readonly #policy: AlertPolicy;
  #poison = 0;

  private constructor({ wire, url, namespace }: StageOptions, listeners: readonly ChildProcess[]) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
    const keys = [{ detector: DETECTOR, publicKey: pem, widestScope: 'tenant', strictestMode: 'halt_all' }];
    const told: ExecutorTold = { url, namespace, wire, keys };
    this.wire = wire;
    this.url = url;
    this.namespace = namespace;
    this.privateKey = privateKey;
    this.#listeners = listeners;
    this.#policy = {
      ...{ namespace, keys: readDetectorKeys(keys), skewMs: 5_000, queue: 'discard', unsigned: 'accepted' },
    };
    this.publisher = openWirePublisher(wire, { url, namespace });
    this.#store = openFlipStore({ connectionString: url, namespace });
    this.executor = forkBench(new URL('./alert-executor.ts', import.meta.url), [JSON.stringify(told)]);
  }

  static use<T>(options: StageOptions, work: (stage: AlertStage) => Promise<T>): Promise<T> {
    return withListeners(options, async (listeners) => {
      const stage = new AlertStage(options, listeners);
      try {
        await heard(stage.executor, ({ ready }) => ready === true);
        return await work(stage);
      } finally {
        await endChild(stage.executor);
        await Promise.all([stage.publisher.close(), stage.#store.close()]);
      }
    });
  }

  /** A stop of a tenant that nobody has stopped before. */
  alert(): ReadyAlert {
    const now = Date.now();
    const sealed = sealAlert(
      {
        ...{ version: 1, namespace: this.namespace, id: randomUUID(), detector: DETECTOR, scope: 'tenant' },
        ...{ target: `tenant-${randomUUID()}`, mode: 'halt_all', reason: 'bench' },
        raisedAt: new Date(now).toISOString(),
        expiresAt: new Date(now + LIFE_MS).toISOString(),
      },
      this.privateKey,
    );
    return { ...sealed, flipId: this.flipIdOf(sealed.bytes, sealed.signature) };
  }

  flipIdOf(bytes: Uint8Array, signature: string | null): string {
    const message = { topic: this.wire.topic, partition: 0, position: 0, publishedAtMs: Date.now(), bytes, signature };
    const judgement = judgeAlert(message, this.#policy, Date.now());
    if (judgement.kind !== 'trip') throw new Error(`an alert of the bench is ${judgement.kind}: ${judgement.why}`);
    return judgement.trip.flipId;
  }

  async publish({ bytes, signature, flipId }: ReadyAlert): Promise<void> {
    await this.publisher.publish(bytes, signature, KEY);
    this.acknowledged.push(flipId);
  }

  /** Milliseconds from a moment until the last of the processes enforces a stop. */
  async lastEnforced(flipId: string, begin: bigint): Promise<number> {
    const said = await Promise.all(this.#listeners.map((child) => heard(child, ({ id }) => id === flipId)));
    return Math.max(...said.map(({ at }) => msBetween(begin, at)));
  }

  /** Milliseconds from a moment until the executor says this of a stop. */
  async executorSays(what: 'held' | 'answered', flipId: string, begin: bigint): Promise<number> {
    return msBetween(begin, (await heard(this.executor, (said) => said[what] === flipId)).at);
  }

  async release(flipId: string): Promise<void> {
    const text = canonicalText({
      ...{ kind: 'release', namespace: this.namespace, id: `release-${flipId}`, engagements: [flipId] },
      ...{ scope: 'global', target: '*', reason: 'bench', triggeredBy: 'bench', source: 'bench' },
      at: new Date().toISOString(),
    });
    await this.#store.flip(text, null);
  }

  /** Alerts that nobody can read, all in the partition of the others; resolves once the bus has them. */
  async publishPoison(count: number): Promise<void> {
    const poison = Array.from({ length: count }, (_, at) => `poison ${at}`);
    if (this.wire.kind === 'Kafka') {
      await Promise.all(poison.map((text) => this.publisher.publish(Buffer.from(text), null, KEY)));
    } else {
      // in one statement: one by one they would take longer than an executor may be paused
      const sql = `select killdrill.publish_alert($1, $2, encode(convert_to(body, 'UTF8'), 'base64'), null) from unnest($3::text[]) body`;
      await this.#withClient((client) => client.query(sql, [this.namespace, this.wire.topic, poison]));
    }
    this.#poison += count;
  }

  /** Until everything that was published is on record. */
  async settled(): Promise<void> {
    const sql =
      'select coalesce(sum(position), 0)::integer as passed from killdrill.alert_position where namespace = $1';
    const messages = this.acknowledged.length + this.#poison;
    const giveUpMs = performance.now() + SETTLE_MS;
    for (;;) {
      const [row] = await this.rows<{ passed: number }>(sql);
      if ((row?.passed ?? 0) >= messages) return;
      if (performance.now() > giveUpMs) throw new Error(`${row?.passed} of ${messages} alerts are on record`);
      await new Promise((resolve) => void setTimeout(resolve, LOOK_MS));
    }
  }

  async rows<T extends pg.QueryResultRow>(sql: string): Promise<readonly T[]> {
    return this.#withClient(async (client) => (await client.query<T>(sql, [this.namespace])).rows);
  }

  async #withClient<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.url });
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  }
}

export function msBetween(begin: bigint, at: string | undefined): number {
  return Number(BigInt(at ?? '0') - begin) / 1e6;
}
