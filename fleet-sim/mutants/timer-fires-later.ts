import type { NewTask, Runtime } from '../../src/index.ts';
import type { AgentTools } from '../agent-tools.ts';
import { readPlan } from '../plan.ts';
import type { Mutant, MutantContext } from './mutant.ts';

export const timerFiresLater: Mutant = {
  name: 'timer-fires-later',
  bug: 'keeps timers in the process instead of the queue, and sends straight away what they are for when they fire',
  removes: ['queue', 'gate', 'fence'],
  property: 'timers_and_retries_cancelled',
  scenario: 'tenant',
  bend({ runtime, differs }) {
    return {
      tools: (genuine) => {
        const kept = new Set<string>();
        const enqueue = async (task: NewTask): Promise<void> => {
          const { kind, due } = task;
          if (kind !== 'timer' || due.kind !== 'in') return genuine.intake.enqueue(task);
          if (kept.has(task.id)) return;
          kept.add(task.id);
          genuine.clock.after(due.ms, () => void fire(task, genuine, { runtime: runtime(), differs }));
        };
        return { ...genuine, intake: { enqueue } };
      },
    };
  },
};

/** Nobody waits for it, so that nobody is told when it fails. */
async function fire(
  { id, run, tenant, feature, agent, lineage, capability, plan }: NewTask,
  { world, payload, stopping }: AgentTools,
  { runtime, differs }: { readonly runtime: Runtime; readonly differs: MutantContext['differs'] },
): Promise<void> {
  const [step] = readPlan(run, plan);
  if (step === undefined || stopping.aborted) return;
  const subject = { tenant, feature, agent, run, lineage, capability };
  if (runtime.decider.stopFor(subject) !== null) {
    differs({ input: { timer: id, ...subject }, unmodified: 'halted in the queue', mutated: 'fired' });
  }
  const effect = { run, capability: step.capability, idempotencyKey: id, body: payload(run, 0) };
  await world.sendEffect(effect).catch(() => undefined);
}
