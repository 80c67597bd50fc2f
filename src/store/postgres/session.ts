import pg from 'pg';
import type { Client, Notification } from 'pg';
import { KilldrillError } from '../../errors.ts';
import type { ResolvedStoreOptions } from './options.ts';
import { keepsConnection, storeError } from './store-error.ts';

/** What a session tells its owner. Neither may throw. */
export interface SessionEvents {
  readonly notified: (channel: string, payload: string) => void;
  /** The connection that was there is gone; the next call makes a new one. */
  readonly lost: (error: KilldrillError) => void;
}

/** Statements on the session's one connection, for as long as the turn lasts. */
export type Ask = (text: string, values?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>;

const CLOSE_BOUND_MS = 500;
const UNHEARD: SessionEvents = { notified: () => undefined, lost: () => undefined };

/**
 * One connection to PostgreSQL, made when it is needed. Calls take turns. A call that is not answered ends the
 * connection, and is never sent again by itself; the next call connects anew, after a short pause if the last try failed.
 */
export class Session {
  readonly #name: string;
  readonly #options: ResolvedStoreOptions;
  readonly #events: SessionEvents;
  #client: Client | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;
  #failures = 0;
  #connectFromMs = 0;

  constructor(name: string, options: ResolvedStoreOptions, events: SessionEvents = UNHEARD) {
    this.#name = name;
    this.#options = options;
    this.#events = events;
  }

  /**
   * Calls one of the store's SQL functions, which answers with one value. An answer `{"refused": …}` is thrown as an error
   * here: the store refuses in this way where the refusal goes on record, which an exception of its own would undo.
   *
   * @throws KilldrillError with the function's own code, or `STORE_UNREACHABLE`, `STORE_BUSY`, `STORE_NOT_PRIMARY`,
   * `STORE_FORBIDDEN`, `SCHEMA_VERSION`, `STORE_VALUE`, `STORE_CLOSED`.
   */
  async call<T>(operation: string, values: readonly unknown[]): Promise<T> {
    const answer = await this.#inTurn(operation, async (client) => {
      const places = values.map((_, index) => `$${index + 1}`).join(', ');
      const text = `select ${pg.escapeIdentifier(this.#options.schema)}.${operation}(${places}) as answer`;
      const { rows } = await client.query<{ answer: T }>({ name: operation, text, values: [...values] });
      const [row] = rows;
      if (row === undefined) throw new KilldrillError('STORE_ERROR', `${operation}: the store answered with no row`);
      return row.answer;
    });
    const refused = refusalIn(answer);
    if (refused !== null) throw refused;
    return answer;
  }

  /** Several statements on the same connection, one after another, with nobody else's in between. */
  use<T>(operation: string, work: (ask: Ask) => Promise<T>): Promise<T> {
    return this.#inTurn(operation, (client) =>
      work(async (text, values = []) => (await client.query<Record<string, unknown>>(text, [...values])).rows),
    );
  }

  /** Ends the connection; later calls are refused. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    const client = this.#client;
    this.#client = null;
    if (client !== null) await endGently(client, this.#options);
  }

  #inTurn<T>(operation: string, work: (client: Client) => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => this.#attempt(operation, work));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #attempt<T>(operation: string, work: (client: Client) => Promise<T>): Promise<T> {
    const client = this.#client ?? (await this.#connect(operation));
    try {
      return await work(client);
    } catch (thrown) {
      const error = storeError(operation, thrown);
      if (!keepsConnection(thrown)) this.#drop(client, error);
      throw error;
    }
  }

  async #connect(operation: string): Promise<Client> {
    await this.#backOff();
    this.#refuseIfClosed(operation);
    const client = this.#newClient();
    try {
      await client.connect();
    } catch (thrown) {
      this.#connectFailed();
      client.connection.stream.destroy();
      throw storeError(operation, thrown);
    }
    if (this.#closed) client.connection.stream.destroy();
    this.#refuseIfClosed(operation);
    this.#failures = 0;
    this.#client = client;
    return client;
  }

  #newClient(): Client {
    const { connectionString, timings } = this.#options;
    const client = new pg.Client({
      connectionString,
      application_name: `killdrill ${this.#name}`,
      connectionTimeoutMillis: timings.connectMs,
      statement_timeout: timings.statementMs,
      query_timeout: timings.answerMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: timings.connectMs,
    });
    // A terminated backend emits the first event twice, and without a listener it would end the process.
    client.on('error', (error) => this.#drop(client, storeError(this.#name, error)));
    client.on('end', () => this.#drop(client, storeError(this.#name, new Error('the connection ended'))));
    client.on('notification', ({ channel, payload }: Notification) => {
      if (this.#client === client) this.#events.notified(channel, payload ?? '');
    });
    return client;
  }

  /** Forgets the connection without waiting for anything; a connection that is no longer the current one is left alone. */
  #drop(client: Client, error: KilldrillError): void {
    if (this.#client !== client) return;
    this.#client = null;
    client.connection.stream.destroy();
    this.#events.lost(error);
  }

  #connectFailed(): void {
    const { backOffMs } = this.#options.timings;
    const pauseMs = Math.min(backOffMs, (backOffMs / 10) * 2 ** this.#failures);
    this.#failures += 1;
    this.#connectFromMs = this.#options.clock.monotonicMs() + pauseMs;
  }

  async #backOff(): Promise<void> {
    const { clock } = this.#options;
    const restMs = this.#connectFromMs - clock.monotonicMs();
    if (this.#failures > 0 && restMs > 0) await new Promise<void>((resolve) => clock.after(restMs, resolve));
  }

  #refuseIfClosed(operation: string): void {
    if (this.#closed)
      throw new KilldrillError('STORE_CLOSED', `${operation}: this side closed its connection to the store`);
  }
}

function refusalIn(answer: unknown): KilldrillError | null {
  if (typeof answer !== 'object' || answer === null || !('refused' in answer)) return null;
  const { code, message } = answer.refused as { readonly code: string; readonly message: string };
  return new KilldrillError(code, message);
}

async function endGently(client: Client, { clock }: ResolvedStoreOptions): Promise<void> {
  const ended = client.end().catch(() => undefined);
  let cancel = (): void => undefined;
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(CLOSE_BOUND_MS, resolve);
  });
  await Promise.race([ended, late]);
  cancel();
  client.connection.stream.destroy();
}
