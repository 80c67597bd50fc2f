import type { Switch } from '../../../src/switch.ts';
import { SPAWN_CAPABILITY } from '../../../harness/traffic/trace.ts';
import type { PlanStep, TraceRun } from '../../../harness/traffic/trace.ts';
import { WORKERS } from './clean-fleet.ts';

const HELD_MS = 20_000;
/** When what waits for its time falls due: in the midst of the stop. */
const LATER_MS = 3_500;

const TENANTS = ['acme', 'beta', 'gamma'] as const;
const CAPABILITIES = ['model/chat', 'read/crm', 'write/mail'] as const;

/** The clean drill's runs: ordinary traffic, and what is there to be caught by the stop. */
export function cleanRuns(on: Switch): readonly TraceRun[] {
  const primed = on.scope === 'run' ? oneFamily(on.target) : primedRuns(on);
  return [...primed, ...probes(on), ...traffic()].toSorted((one, other) => one.dueMs - other.dueMs);
}

function step(capability: string, more: Partial<PlanStep> = {}): PlanStep {
  const access = capability.startsWith('read/') || capability.startsWith('model/') ? 'read' : 'write';
  return { capability, access, journal: capability !== 'read/crm', serviceMs: 10, deadlineMs: 1_000, ...more };
}

function plan(nth: number): readonly PlanStep[] {
  return CAPABILITIES.slice(0, 2 + (nth % 2)).map((capability) => step(capability));
}

function traffic(): readonly TraceRun[] {
  return Array.from({ length: 700 }, (_, nth) => ({
    dueMs: nth * 20,
    run: `run-${nth}`,
    tenant: TENANTS[nth % 3] ?? 'acme',
    feature: nth % 2 === 0 ? 'assist' : 'triage',
    agent: `agent-${nth % 8}`,
    plan: plan(nth),
  }));
}

const WHO = { tenant: 'acme', feature: 'assist', agent: 'agent-1' } as const;

/** For each worker a held call with a child to come; a timer, a retry, a child with a held call, and a run for later. */
function primedRuns(on: Switch): readonly TraceRun[] {
  const capability = on.scope === 'capability' ? on.target : 'model/chat';
  const primed = { ...WHO, primed: true } as const;
  const held = step(capability, { serviceMs: HELD_MS, deadlineMs: HELD_MS });
  const holding = WORKERS.flatMap((worker): readonly TraceRun[] => {
    const run = { dueMs: 2_500, run: `primed-${worker}`, ...primed, agent: `agent-${worker}` };
    return family(run, [held, ...plan(1), spawn(plan(0))]);
  });
  return [
    ...holding,
    ...family({ dueMs: 2_000, run: 'timed-1', ...primed }, [timer(capability), ...plan(0)]),
    ...family({ dueMs: 2_000, run: 'retried-1', ...primed }, [retried(capability), ...plan(0)]),
    ...family({ dueMs: 2_000, run: 'parent-1', ...primed }, [spawn([held])]),
    ...family({ dueMs: 2_000, run: 'later-1', ...primed, startAfterMs: LATER_MS }, plan(0)),
  ];
}

/** All of it in one run and its descendants. */
function oneFamily(run: string): readonly TraceRun[] {
  const held = step('model/chat', { serviceMs: HELD_MS, deadlineMs: HELD_MS });
  const steps = [timer('model/chat'), spawn([held]), spawn([retried('model/chat')]), held, ...plan(1), spawn(plan(0))];
  return family({ dueMs: 2_000, run, ...WHO, primed: true }, steps);
}

type FamilyStep = PlanStep & { readonly of?: readonly PlanStep[] };

function spawn(of: readonly PlanStep[]): FamilyStep {
  return { ...step(SPAWN_CAPABILITY, { kind: 'spawn', serviceMs: 5 }), of };
}

function timer(capability: string): PlanStep {
  return step(capability, { kind: 'timer', delayMs: LATER_MS });
}

function retried(capability: string): PlanStep {
  return step(capability, { journal: true, refusals: 1, delayMs: LATER_MS });
}

function family(root: Omit<TraceRun, 'plan'>, steps: readonly FamilyStep[]): readonly TraceRun[] {
  const children: TraceRun[] = [];
  const own = steps.map(({ of, ...planned }, nth): PlanStep => {
    if (of === undefined) return planned;
    const child = `${root.run}.${nth}`;
    const { dueMs, tenant, feature, agent } = root;
    const from = { parent: { run: root.run, step: nth }, lineage: [root.run] };
    children.push({ dueMs, run: child, tenant, feature, agent, primed: true, ...from, plan: of });
    return { ...planned, child };
  });
  return [{ ...root, plan: own }, ...children];
}

function probes(on: Switch): readonly TraceRun[] {
  if (on.scope === 'capability') return [];
  const lineage = on.scope === 'run' ? { lineage: [on.target] } : {};
  return [1, 2, 3].map((nth) => ({ dueMs: 0, run: `probe-${nth}`, ...WHO, ...lineage, probe: true, plan: plan(0) }));
}
