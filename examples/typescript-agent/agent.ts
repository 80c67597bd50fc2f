/**
 * One worker of a fleet of AI SDK agents, drilled by killdrill. Every effect asks the gate: the model's by a wrapped `fetch`,
 * the tools' by `gateTools`, and what is sent later (timers, webhooks) by the wrapped `fetch` again.
 *
 * The model is a script: it wants what the run's plan says, and the world stands in for the model's provider and for
 * everything that tools reach. With --raw-fetch somebody forgot to wrap: what should go through the wrapped `fetch` does not.
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

type Generated = Awaited<ReturnType<MockLanguageModelV3['doGenerate']>>;

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
    execute: ({ index }, { abortSignal }) => post(fetch, { run, index, step: stepAt(index) }, abortSignal),
  });
  const effectOf = ({ input }: { readonly input: unknown }) => {
    const { capability, access, journal, deadlineMs } = stepAt((input as { readonly index: number }).index);
    return { capability, access, journal, deadlineMs };
  };
  // These two are no effects themselves: what they send asks the gate when it is time.
  const later = tool({
    inputSchema,
    execute: ({ index }) => {
      const step = stepAt(index);
      const delayMs = step.kind === 'timer' ? (step.delayMs ?? PAUSE_MS) : 0;
      begin(sleep(delayMs).then(() => send({ run, index, step })));
      return 'noted';
    },
  });
  const spawn = tool({
    inputSchema,
    execute: async ({ index }) => {
      const child = JSON.parse(await send({ run, index, step: stepAt(index) })) as Run;
      if (child.attached === true) await work(child);
      else begin(work(child));
      return child.run;
    },
  });
  return { ...gateTools(gate, { act }, { deadlineMs: 60_000, effectOf }), later, spawn };
}

const TOOL_OF = { call: 'act', stream: 'act', webhook: 'later', timer: 'later', spawn: 'spawn' } as const;

/** Wants the plan's next step, or the last one again when its tool has failed; the model's own steps it takes as it goes. */
function scriptedModel(run: Run): MockLanguageModelV3 {
  const check = gate.bind('model/chat');
  let next = -1;
  return new MockLanguageModelV3({
    doGenerate: async ({ prompt }) => {
      const refused = check.refusal();
      if (refused !== null && !raw) throw refused; // a model that is asked over HTTP is refused by its fetch
      const [last] = prompt.slice(-1);
      const isFailure = (part: { readonly type: string; readonly output?: { readonly type: string } }): boolean =>
        part.output?.type.startsWith('error') === true;
      if (last?.role === 'tool' && last.content.some(isFailure)) await sleep(run.plan[next]?.delayMs ?? PAUSE_MS);
      else next += 1;
      for (; run.plan[next]?.capability.startsWith('model/') === true; next += 1) {
        const step = run.plan[next];
        if (step !== undefined) await send({ run, index: next, step });
      }
      const step = run.plan[next];
      if (step === undefined) return answer({ type: 'text', text: 'done' });
      const toolCallId = `${run.run}/${next}`; // the key that its effect has, here and in the world
      const input = JSON.stringify({ index: next });
      return answer({ type: 'tool-call', toolCallId, toolName: TOOL_OF[step.kind ?? 'call'], input });
    },
  });
}

function answer(content: Generated['content'][number]): Generated {
  const unified = content.type === 'text' ? 'stop' : 'tool-calls';
  return { content: [content], finishReason: { unified, raw: undefined }, usage: USAGE, warnings: [] };
}

/** A run inside another is its descendant: a stop of the other binds it. */
async function work(run: Run): Promise<void> {
  const { agent, tenant, feature, startAfterMs = 0 } = run;
  await sleep(startAfterMs);
  await gate.enter({ run: run.run, agent, tenant, feature }, () =>
    generateText({
      model: scriptedModel(run),
      tools: toolsOf(run),
      prompt: 'Do what the plan says.',
      stopWhen: stepCountIs(10 * run.plan.length + 10),
      maxRetries: 0, // a retry is another effect: it has to ask the gate, too
    }),
  );
}

const ended = new AbortController();
process.on('SIGTERM', () => ended.abort());
const say = (event: object): boolean => process.stdout.write(`${JSON.stringify(event)}\n`);

await runtime.ready(15_000);
say({ event: 'ready', incarnation });
while (!ended.signal.aborted) {
  try {
    const handed = await fetch(`${worldUrl}/work`, { signal: ended.signal });
    if (handed.status === 200) begin(work((await handed.json()) as Run));
  } catch (error) {
    if (!ended.signal.aborted) console.error(String(error));
  }
}
await runtime.close(1_000);
say({ event: 'bye', effects: gate.dispatchedCount, intents: runtime.intents.admittedCount });
process.exit();
