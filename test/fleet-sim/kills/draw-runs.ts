import type { Prng } from '../../../harness/traffic/prng.ts';
import { SPAWN_CAPABILITY } from '../../../harness/traffic/trace.ts';
import type { PlanStep, TraceRun } from '../../../harness/traffic/trace.ts';
import { below, pick } from '../../src/store/postgres/queue-storm.ts';

export const TENANTS = ['tenant-0', 'tenant-1', 'tenant-2', 'tenant-3'] as const;
export const AGENTS = ['agent-0', 'agent-1', 'agent-2', 'agent-3', 'agent-4'] as const;
export const FEATURES = ['inbox', 'billing'] as const;

const DEADLINE_MS = 20_000;

/** Runs of every kind of step, each with the children that it spawns right behind it. */
export function drawFamilies(prng: Prng, count: number): readonly (readonly TraceRun[])[] {
  return Array.from({ length: count }, (_, at) => drawFamily(prng.split(`run ${at}`), `r${at}`));
}

function drawFamily(prng: Prng, run: string): readonly TraceRun[] {
  const who = { dueMs: 0, tenant: pick(prng, TENANTS), feature: pick(prng, FEATURES) };
  const plan: PlanStep[] = [];
  const children: TraceRun[] = [];
  for (let step = 2 + below(prng, 5); step > 0; step -= 1) {
    const spawned = prng.uniform() < 0.12;
    if (!spawned) {
      plan.push(drawStep(prng));
      continue;
    }
    const child = `${run}c${children.length}`;
    const attached = prng.uniform() < 0.5 ? ({ attached: true } as const) : {};
    plan.push({ ...stepOf(SPAWN_CAPABILITY, below(prng, 20)), kind: 'spawn', child, ...attached });
    children.push({
      ...{ ...who, run: child, agent: pick(prng, AGENTS), lineage: [run], parent: { run, step: plan.length - 1 } },
      plan: Array.from({ length: 1 + below(prng, 3) }, () => drawStep(prng)),
    });
  }
  return [{ ...who, run, agent: pick(prng, AGENTS), plan }, ...children];
}

function drawStep(prng: Prng): PlanStep {
  const refused = prng.uniform() < 0.12 ? { refusals: 1, delayMs: 20 + below(prng, 150) } : {};
  const idempotent = prng.uniform() < 0.2 ? ({ idempotent: true } as const) : {};
  const serviceMs = 5 + below(prng, 150);
  const kind = prng.uniform();
  if (kind < 0.65)
    return { ...stepOf(pick(prng, ['model/chat', 'write/mail', 'write/crm']), serviceMs), ...refused, ...idempotent };
  if (kind < 0.75) return { ...stepOf('model/chat', serviceMs), kind: 'stream', ...refused, ...idempotent };
  if (kind < 0.9) return { ...stepOf('webhook/notify', serviceMs), kind: 'webhook', ...refused, ...idempotent };
  return { ...stepOf('write/reminder', serviceMs), kind: 'timer', delayMs: 20 + below(prng, 400) };
}

function stepOf(capability: string, serviceMs: number): PlanStep {
  return { capability, access: 'write', journal: true, serviceMs, deadlineMs: DEADLINE_MS };
}
