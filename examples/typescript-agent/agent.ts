/**
 * One worker of a fleet of AI SDK agents, drilled by killdrill. Every effect asks the gate: the model's by a wrapped `fetch`,
 * the tools' by `gateTools`, and what is sent later (timers, webhooks) by the wrapped `fetch` again.
 *
 * The model is a script: it wants what the run's plan says, and the world stands in for the model's provider and for
 * everything that tools reach. With --raw-fetch the model is called past the gate.
 */
import { generateText, jsonSchema, stepCountIs, tool } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';
import { EffectFailedError, Runtime, connectWorkerStore, gateTools, outcomeOfStatus, readContract } from 'killdrill';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

interface Step {
  readonly kind?: 'call' | 'stream' | 'webhook' | 'timer' | 'spawn';
  readonly capability: string;
  readonly access: 'read' | 'write';
  readonly journal: boolean;
  readonly deadlineMs: number;
  readonly delayMs?: number;
}

interface Run {
  readonly run: string;
  readonly tenant: string;
  readonly feature: string;
  readonly agent: string;
  readonly plan: readonly Step[];
  readonly startAfterMs?: number;
  readonly attached?: boolean;
}

const PAUSE_MS = 500;
const USAGE = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};
const raw = process.argv.includes('--raw-fetch');
const { namespace, worker, worldUrl, databaseUrl, registryUrl, leaseMs, keys } = readContract(process.env);
if (databaseUrl === null || registryUrl === null) throw new Error('this fleet needs a store; drill it without levers');
const incarnation = `${worker}-${randomUUID()}`;
const store = await connectWorkerStore({ namespace, databaseUrl, registryUrl });
const runtime = new Runtime(store, { namespace, incarnation, keys, ...(leaseMs === null ? {} : { leaseMs }) });
const { gate } = runtime;

/** The run in whose name something is sent, and which step of its plan it is. */
interface Sending {
  readonly run: Run;
  readonly index: number;
  readonly step: Step;
}

/** One request to the world: the answer's text, or an error that says that the world did not do it. */
async function post(by: typeof fetch, { run, index, step }: Sending, signal?: AbortSignal): Promise<string> {
  const path = step.kind === 'spawn' ? '/runs' : `/effects/${step.capability}`;
  const headers = { 'x-run': run.run, 'idempotency-key': `${run.run}/${index}` };
  const answer = await by(worldUrl + path, { method: 'POST', headers, body: '{}', ...(signal ? { signal } : {}) });
  const text = await answer.text();
  if (!answer.ok) throw new EffectFailedError(`the world answered ${answer.status}`);
  return text;
}

/** Through the gate, again and again while the world says that it did nothing (its 503). */
async function send(sending: Sending): Promise<string> {
  const { capability, access, journal, deadlineMs, delayMs = PAUSE_MS } = sending.step;
  const gated = gate.wrapFetch({
    deadlineMs,
    effectOf: () => ({ capability, access, journal }),
    outcomeOf: (answer) => (answer.status === 503 ? 'failed' : outcomeOfStatus(answer)),
  });
  for (;;) {
    try {
      return await post(raw ? fetch : gated, sending);
    } catch (error) {
      if (!(error instanceof EffectFailedError)) throw error;
      await sleep(delayMs);
    }
  }
}

/** Goes its own way; that it was stopped is no error. */
function begin(work: Promise<unknown>): void {
  work.catch((error: unknown) => console.error(String(error)));
}

function toolsOf(run: Run) {
  const inputSchema = jsonSchema<{ index: number }>({ type: 'object', properties: { index: { type: 'number' } } });
  const stepAt = (index: number): Step => {
    const step = run.plan[index];
    if (step === undefined) throw new Error(`run ${run.run} has no step ${index}`);
    return step;
  };
  const act = tool({
    inputSchema,
    execute: async ({ index }, { abortSignal }) => {
      const step = stepAt(index);
      const text = await post(fetch, { run, index, step }, abortSignal);
      return step.kind === 'spawn' ? (JSON.parse(text) as Run) : text;
    },
  });
  const gated = gateTools(
    gate,
    { act },
    {
      deadlineMs: 60_000,
      effectOf: ({ input }) => {
        const { capability, access, journal, deadlineMs } = stepAt((input as { index: number }).index);
        return { capability, access, journal, deadlineMs };
      },
    },
  );
  /** Sends nothing itself: the gate is asked when it is time. */
  const later = tool({
    inputSchema,
    execute: ({ index }) => {
      const step = stepAt(index);
      const delayMs = step.kind === 'timer' ? (step.delayMs ?? PAUSE_MS) : 0;
      begin(sleep(delayMs).then(() => send({ run, index, step })));
      return 'noted';
    },
  });
  return { ...gated, later };
}

/** Wants the next step of the plan, or the last one again if its tool failed; steps of the model itself it takes as it goes. */
function scriptedModel(run: Run, failed: () => boolean): MockLanguageModelV3 {
  let next = 0;
  return new MockLanguageModelV3({
    doGenerate: async () => {
      if (failed()) await sleep(run.plan[next]?.delayMs ?? PAUSE_MS);
      else if (wanted) next += 1;
      let step = run.plan[next];
      for (; step?.capability.startsWith('model/') === true; step = run.plan[next]) {
        await send({ run, index: next, step });
        next += 1;
      }
      if (step === undefined) return answer({ type: 'text', text: 'done' });
      wanted = true;
      const toolName = step.kind === 'timer' || step.kind === 'webhook' ? 'later' : 'act';
      return answer({
        type: 'tool-call',
        toolCallId: `${run.run}/${next}`,
        toolName,
        input: JSON.stringify({ index: next }),
      });
    },
  });
}
