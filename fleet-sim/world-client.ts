import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { EffectFailedError, KilldrillError } from '../src/index.ts';

/** One planned effect, as `/work` hands it out. */
export interface PlanStep {
  readonly capability: string;
  readonly access: 'read' | 'write';
  readonly journal: boolean;
  readonly deadlineMs: number;
}

/** A run as `/work` hands it out. */
export interface WorkItem {
  readonly run: string;
  readonly tenant: string | null;
  readonly feature: string | null;
  readonly agent: string;
  readonly plan: readonly PlanStep[];
}

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

  constructor(url: string) {
    this.#url = url;
  }

  /** Waits for the next run; null when there was none within the world's poll time. */
  async nextWork(signal: AbortSignal, onSent: () => void): Promise<WorkItem | null> {
    const answer = await this.#exchange({ method: 'GET', path: '/work', signal, onSent });
    if (answer.status === 204) return null;
    if (answer.status !== 200)
      throw new KilldrillError('WORLD', `the world answered ${answer.status} to /work; expected 200 or 204`);
    return JSON.parse(answer.text) as WorkItem;
  }

  /** Sends one effect. @throws EffectFailedError when the world says that it did not do it. */
  async sendEffect(effect: {
    readonly run: string;
    readonly capability: string;
    readonly idempotencyKey: string;
    readonly body: string;
    readonly signal?: AbortSignal;
  }): Promise<void> {
    const answer = await this.#exchange({
      method: 'POST',
      path: `/effects/${effect.capability}`,
      headers: { 'x-run': effect.run, 'idempotency-key': effect.idempotencyKey, 'content-type': 'application/json' },
      body: effect.body,
      ...(effect.signal === undefined ? {} : { signal: effect.signal }),
    });
    if (answer.status !== 200)
      throw new EffectFailedError(`the world answered ${answer.status} to ${effect.capability}`);
  }

  close(): void {
    this.#agent.destroy();
  }

  #exchange({ method, path, headers = {}, body, signal, onSent }: Exchange): Promise<Answer> {
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
