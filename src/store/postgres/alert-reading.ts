import type { BusMember, BusMessage, PartitionReader } from '../../alerts/alert-bus.ts';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Listening } from './listening.ts';
import type { Session } from './session.ts';

interface ReadingParts {
  readonly session: Session;
  readonly listening: Listening;
  readonly member: BusMember;
  readonly namespace: string;
  readonly topic: string;
  readonly clock: Clock;
  readonly pollMs: number;
}

interface Row {
  readonly position: number;
  readonly body: string;
  readonly signature: string | null;
  readonly publishedAtMs: number;
}

const PARTITION = 0;
/** Messages of one fetch: few, since nobody knows how large they are; twice as many as long as there are more. */
const LEAST_BATCH = 100;
/** What `alerts_from` gives at most; a shorter answer would pass for the end of the backlog. */
const MOST_BATCH = 500;

/** One member's stay on the PostgreSQL bus: listens and polls on one session, so that an answered poll proves the listening. */
export class AlertReading {
  readonly #parts: ReadingParts;
  #reader: PartitionReader | null = null;
  #closed = false;
  #wanted = false;
  #wake: () => void = () => undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: ReadingParts) {
    this.#parts = parts;
  }

  /** Resolves once listening was proven and the member has said where to start. */
  async start(): Promise<void> {
    const { session, listening, member, namespace, topic } = this.#parts;
    const poke = (): void => {
      this.#wanted = true;
      this.#wake();
    };
    await listening.listen(poke, (error) => this.#lost(error));
    const range = await session.call<{ readonly committed: number | null }>('alert_range', [namespace, topic]);
    const reader = await member.assigned(PARTITION, range.committed);
    this.#reader = reader;
    if (this.#closed) reader.revoked();
    else this.#loop = this.#run(reader);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#parts.listening.stop();
    this.#wake();
    this.#reader?.revoked();
    await this.#parts.session.close();
    await this.#loop;
  }

  async #run(reader: PartitionReader): Promise<void> {
    const { member } = this.#parts;
    let [next, batch] = [reader.position, LEAST_BATCH];
    try {
      while (!this.#closed) {
        // Before the question leaves: what is notified from here on may not be in its answer.
        this.#wanted = false;
        const messages = await this.#fetch(next, batch);
        if (this.#closed) return;
        member.alive();
        batch = messages.length < batch ? LEAST_BATCH : Math.min(MOST_BATCH, 2 * batch);
        const last = messages.at(-1);
        if (last === undefined) {
          await this.#pause();
          continue;
        }
        await reader.deliver(messages);
        next = last.position + 1;
      }
    } catch (thrown) {
      this.#lost(thrown instanceof Error ? thrown : new Error(messageOf(thrown)));
    }
  }

  async #fetch(from: number, most: number): Promise<readonly BusMessage[]> {
    const { session, namespace, topic } = this.#parts;
    const rows = await session.call<readonly Row[]>('alerts_from', [namespace, topic, from, most]);
    return rows.map(({ position, body, signature, publishedAtMs }) => {
      return { topic, partition: PARTITION, position, bytes: Buffer.from(body, 'base64'), signature, publishedAtMs };
    });
  }

  #pause(): Promise<void> {
    if (this.#wanted || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(this.#parts.pollMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Once, and only while it lasts. */
  #lost(error: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake();
    this.#reader?.revoked();
    this.#parts.member.lost(error);
  }
}
