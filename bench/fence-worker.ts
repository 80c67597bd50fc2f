import { randomUUID } from 'node:crypto';
import type { FenceAnswer, Head, Intent } from '../src/store/store.ts';
import { openFence } from '../src/store/postgres/fence.ts';
import { openFlipSource } from '../src/store/postgres/flip-source.ts';
import { intentColumns } from '../src/store/postgres/intent-columns.ts';
import { resolveStoreOptions } from '../src/store/postgres/options.ts';
import { Session } from '../src/store/postgres/session.ts';
import { openTaskQueue } from '../src/store/postgres/task-queue.ts';

export type Variant = 'fenced' | 'unfenced';

export interface Leg {
  readonly variant: Variant;
  readonly ms: number;
}

interface WorkerTask {
  readonly connectionString: string;
  readonly namespace: string;
  readonly batch: number;
  readonly claims: boolean;
}

export type ToWorker =
  { readonly kind: 'start'; readonly task: WorkerTask } | { readonly kind: 'leg'; readonly leg: Leg };
export type FromWorker =
  { readonly kind: 'started' } | { readonly kind: 'did'; readonly intents: number; readonly ms: number };

const CLAIM_MS = 3_600_000;
const incarnation = randomUUID();
let seq = 0;

/** One process of the bench: one connection, one batch in flight. */
async function start(task: WorkerTask): Promise<(leg: Leg) => Promise<FromWorker>> {
  const options = resolveStoreOptions({ ...task, timings: { statementMs: 10_000, answerMs: 12_000 } });
  const source = openFlipSource(options);
  const { head } = await source.load();
  await source.close();
  const runs = await makeRuns(task, head);
  const session = new Session('bench', options);
  const operation = { fenced: 'admit_intents', unfenced: 'admit_intents_unfenced' } as const;
  return async ({ variant, ms }) => {
    const from = performance.now();
    let intents = 0;
    while (performance.now() - from < ms) {
      const batch = runs.map((run) => run(++seq));
      const gate = [options.namespace, options.timings.minimumAgeMs, head.epoch, head.revision, head.hash];
      const answer = await session.call<FenceAnswer>(operation[variant], [
        ...gate,
        incarnation,
        ...intentColumns(batch),
      ]);
      if (answer.kind !== 'admitted' || answer.disowned.length > 0)
        throw new Error(`the store answered ${JSON.stringify(answer)}`);
      intents += batch.length;
    }
    return { kind: 'did', intents, ms: performance.now() - from };
  };
}

/** A run for each place in the batch, claimed if the bench is about claims. */
async function makeRuns(task: WorkerTask, head: Head): Promise<readonly ((seq: number) => Intent)[]> {
  const ids = Array.from({ length: task.batch }, (_, index) => `${incarnation}-${index}`);
  const claimed = task.claims ? await claimAll(task, head, ids) : [];
  return ids.map((run, index) => {
    const token = claimed[index];
    const claim = token === undefined ? null : { task: token.id, token: token.token };
    return (next) => ({
      ...{ seq: next, run, tenant: `tenant-${index % 20}`, feature: 'support', agent: `agent-${index}`, lineage: [] },
      ...{ capability: 'model/chat', access: 'write', idempotencyKey: `${run}-${next}`, deadlineMs: 1000, claim },
    });
  });
}

async function claimAll(task: WorkerTask, head: Head, ids: readonly string[]) {
  const fence = openFence({ ...task, timings: { minimumAgeMs: 0 } });
  const queue = openTaskQueue(task);
  try {
    await fence.enqueue(
      head,
      ids.map((id) => ({
        id,
        kind: 'run',
        run: id,
        tenant: null,
        feature: null,
        agent: 'agent',
        lineage: [],
        capability: null,
        plan: [],
        due: { kind: 'now' },
        pastDue: 'fire',
        repeat: null,
      })),
    );
    return await queue.claim(incarnation, ids.length, CLAIM_MS);
  } finally {
    await fence.close();
    await queue.close();
  }
}

let run: ((leg: Leg) => Promise<FromWorker>) | null = null;
process.on('message', (message: ToWorker) => {
  void answer(message).then((said) => process.send?.(said));
});

async function answer(message: ToWorker): Promise<FromWorker> {
  if (message.kind === 'leg' && run !== null) return run(message.leg);
  if (message.kind === 'start') run = await start(message.task);
  return { kind: 'started' };
}
