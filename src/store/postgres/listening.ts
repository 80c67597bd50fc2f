import pg from 'pg';
import { z } from 'zod';
import { KilldrillError, messageOf } from '../../errors.ts';
import type { FlipRecord, Subscription } from '../store.ts';
import type { ResolvedStoreOptions } from './options.ts';
import type { Ask, Session } from './session.ts';

const recordSchema = z.object({
  epoch: z.string(),
  revision: z.number().int().positive(),
  hash: z.string(),
  text: z.string(),
  signature: z.string().nullable(),
});

interface Listener {
  readonly onFlip: (record: FlipRecord | null) => void;
  readonly lost: (error: Error) => void;
}

/** Who listens for flips on a session. A listener ends once: closed, or lost with the session. */
export class Listening {
  readonly #session: Session;
  readonly #channel: string;
  readonly #options: ResolvedStoreOptions;
  readonly #listeners = new Set<Listener>();
  /** Told of every notification that is not a flip: the proofs under way. */
  #onProof: (channel: string) => void = () => undefined;

  constructor(session: Session, channel: string, options: ResolvedStoreOptions) {
    this.#session = session;
    this.#channel = channel;
    this.#options = options;
  }

  /** @throws KilldrillError `LISTEN_NOT_PROVEN` when a notification of our own does not come back, or as any call. */
  async listen(onFlip: Listener['onFlip'], lost: Listener['lost']): Promise<Subscription> {
    const listener: Listener = { onFlip, lost };
    await this.#session.use('listen', async (ask) => {
      await ask(`listen ${pg.escapeIdentifier(this.#channel)}`);
      await this.#prove(ask);
      // Within the turn: if the session ends from here on, this listener is told.
      this.#listeners.add(listener);
    });
    return { close: () => this.#close(listener) };
  }

  notified(channel: string, payload: string): void {
    if (channel !== this.#channel) return this.#onProof(channel);
    const record = readRecord(payload);
    for (const listener of [...this.#listeners]) {
      try {
        listener.onFlip(record);
      } catch (thrown) {
        // It may have missed a stop, so it is as good as not listening; the others are.
        this.#lose(listener, new Error(`a listener for flips threw: ${messageOf(thrown)}`, { cause: thrown }));
      }
    }
  }

  lost(error: Error): void {
    for (const listener of [...this.#listeners]) this.#lose(listener, error);
  }

  /** Ends all listeners without telling them. */
  stop(): void {
    this.#listeners.clear();
  }

  #lose(listener: Listener, error: Error): void {
    if (!this.#listeners.delete(listener)) return;
    try {
      listener.lost(error);
    } catch {
      // Its owner's lease ends anyway, since it asks no more; the others must be told.
    }
  }

  async #close(listener: Listener): Promise<void> {
    if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
    await this.#session
      .use('unlisten', (ask) => ask(`unlisten ${pg.escapeIdentifier(this.#channel)}`))
      .catch(() => undefined);
  }

  /** Behind a pooler that shares server connections LISTEN succeeds and nothing ever comes: send something and see. */
  async #prove(ask: Ask): Promise<void> {
    const [row] = await ask('select pg_backend_pid() as pid');
    const channel = `killdrill_self_${String(row?.['pid'])}`;
    const { clock, timings } = this.#options;
    let cancel = (): void => undefined;
    const came = new Promise<boolean>((resolve) => {
      cancel = clock.after(timings.answerMs, () => resolve(false));
      this.#onProof = (heard) => {
        if (heard === channel) resolve(true);
      };
    });
    try {
      await ask(`listen ${pg.escapeIdentifier(channel)}`);
      await ask('select pg_notify($1, $2)', [channel, '']);
      if (!(await came)) throw notProven(timings.answerMs);
      await ask(`unlisten ${pg.escapeIdentifier(channel)}`);
    } finally {
      cancel();
      this.#onProof = () => undefined;
    }
  }
}

function notProven(waitedMs: number): KilldrillError {
  return new KilldrillError(
    'LISTEN_NOT_PROVEN',
    `a notification of our own did not come back within ${waitedMs} ms; a pooler in transaction mode swallows them, connect to PostgreSQL itself`,
  );
}

/** Null for whatever is not a flip: anybody may notify, and the answer to it is to fetch. */
function readRecord(payload: string): FlipRecord | null {
  try {
    const read = recordSchema.safeParse(JSON.parse(payload));
    return read.success ? read.data : null;
  } catch {
    return null;
  }
}
