import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { EffectFailedError, KilldrillError } from '../src/index.ts';

const runSchema = z.object({
  run: z.string(),
  tenant: z.string().nullable(),
  feature: z.string().nullable(),
  agent: z.string(),
  /** Read when the run begins, so that an unreadable one is a failed run in the queue, and not lost at the door. */
  plan: z.unknown(),
});
const workSchema = runSchema.extend({ startAfterMs: z.number().nonnegative().optional() });
const spawnedSchema = runSchema.extend({ attached: z.boolean().default(false) });

/** A run as `/work` hands it out. */
export type WorkItem = Readonly<z.infer<typeof workSchema>>;
/** A child run as `/runs` answers it. */
export type SpawnedRun = Readonly<z.infer<typeof spawnedSchema>>;

/** The downstream has refused for now (503, 429): it did nothing, and another attempt may fare better. */
export class NotNowError extends EffectFailedError {}

interface Exchange {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** Called when the request has left for the world. */
  readonly onSent?: () => void;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const MAX_ANSWER_BYTES = 1 << 20;

/** The world as a worker sees it: where work comes from and effects go. It never retries by itself. */
export class WorldClient {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  #closed = false;

  constructor(url: string) {
    this.#url = url;
  }

  /** Waits for the next run; null when there was none within the world's poll time. */
  async nextWork(signal: AbortSignal, onSent: () => void): Promise<WorkItem | null> {
    const answer = await this.#exchange({ method: 'GET', path: '/work', signal, onSent });
    if (answer.status === 204) return null;
    if (answer.status !== 200)
      throw new KilldrillError('WORLD', `the world answered ${answer.status} to /work; expected 200 or 204`);
    return readAs(workSchema, '/work', answer.text);
  }

  /** Sends one effect; one that is answered in pieces has landed with its last. @throws EffectFailedError when the world says that it did not do it. */
  async sendEffect(effect: {
    readonly run: string;
    readonly capability: string;
    readonly idempotencyKey: string;
    readonly body: string;
    readonly signal?: AbortSignal;
  }): Promise<void> {
    const { run, capability, idempotencyKey, body, signal } = effect;
    const answer = await this.#exchange({
      method: 'POST',
      path: `/effects/${capability}`,
      headers: { 'x-run': run, 'idempotency-key': idempotencyKey, 'content-type': 'application/json' },
      body,
      ...(signal === undefined ? {} : { signal }),
    });
    mustBeDone(answer, capability);
  }

  /** Starts the child run of one step; asked again with the same key, it answers the same child. @throws as `sendEffect`. */
  async spawn(wish: {
    readonly run: string;
    readonly idempotencyKey: string;
    readonly signal?: AbortSignal;
  }): Promise<SpawnedRun> {
    const { run, idempotencyKey, signal } = wish;
    const answer = await this.#exchange({
      method: 'POST',
      path: '/runs',
      headers: { 'x-run': run, 'idempotency-key': idempotencyKey, 'content-type': 'application/json' },
      body: '{}',
      ...(signal === undefined ? {} : { signal }),
    });
    mustBeDone(answer, '/runs');
    return readAs(spawnedSchema, '/runs', answer.text);
  }

  /** Closes every connection, for good; what is out ends with an error, and nobody knows whether it landed. */
  close(): void {
    this.#closed = true;
    this.#agent.destroy();
  }

  #exchange({ method, path, headers = {}, body, signal, onSent }: Exchange): Promise<Answer> {
    if (this.#closed)
      return Promise.reject(new KilldrillError('WORLD', `nothing is sent to ${path}: the client is closed`));
    return new Promise((resolve, reject) => {
      const options = { method, agent: this.#agent, headers, ...(signal === undefined ? {} : { signal }) };
      const sending = request(this.#url + path, options, (response) => {
        readAnswer(response).then(resolve, reject);
      });
      sending.on('error', reject);
      if (onSent !== undefined) sending.on('finish', onSent);
      sending.end(body);
    });
  }
}

function mustBeDone({ status }: Answer, what: string): void {
  if (status === 200 || status === 201) return;
  const said = `the world answered ${status} to ${what}`;
  throw status === 503 || status === 429 ? new NotNowError(said) : new EffectFailedError(said);
}

function readAs<T>(schema: z.ZodType<T>, door: string, text: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new KilldrillError('WORLD', `the world answered no JSON to ${door}`, { cause });
  }
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  const { path, message } = read.error.issues[0] ?? { path: [], message: 'another shape' };
  throw new KilldrillError('WORLD', `the world's answer to ${door} cannot be read at '${path.join('.')}': ${message}`);
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES)
      throw new KilldrillError('WORLD', `the world answered more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') };
}
