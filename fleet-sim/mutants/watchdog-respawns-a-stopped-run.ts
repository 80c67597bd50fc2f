import { systemClock } from '../../src/index.ts';
import type { ClaimedTask, ClaimToken, Runtime, TaskQueue } from '../../src/index.ts';
import type { Mutant, MutantContext } from './mutant.ts';

/** How often the watchdog looks for runs that have gone. */
const LOOK_MS = 500;

export const watchdogRespawnsAStoppedRun: Mutant = {
  name: 'watchdog-respawns-a-stopped-run',
  bug: 'has a watchdog that starts a stopped run again as a child of itself, and does not know whose tenant it is',
  removes: ['queue', 'decision'],
  property: 'no_new_children',
  scenario: 'tenant',
  bend(context) {
    return {
      store: (genuine) => ({ ...genuine, tasks: { ...genuine.tasks, halted: watched(genuine.tasks, context) } }),
    };
  },
};

function watched(tasks: TaskQueue, { runtime, differs }: MutantContext): TaskQueue['halted'] {
  const respawned = new Set<string>();
  return async (claim, engagement) => {
    const task = taskOf(claim, runtime());
    const state = await tasks.halted(claim, engagement);
    if (task === undefined || respawned.has(task.run)) return state;
    respawned.add(task.run);
    systemClock.after(LOOK_MS, () => {
      differs({ input: task.id, unmodified: state, mutated: 'started again' });
      // A watchdog that fails has nobody to tell.
      void respawn(task, runtime()).catch(() => undefined);
    });
    return state;
  };
}

function taskOf({ token }: ClaimToken, { claims }: Runtime): ClaimedTask | undefined {
  return claims.tasks().find((task) => task.token === token);
}

async function respawn({ run, agent, lineage, plan }: ClaimedTask, { intake }: Runtime): Promise<void> {
  const who = { id: `${run}-again`, run, tenant: null, feature: null, agent, lineage: [...lineage, run] };
  const task = { ...who, kind: 'child', capability: null, plan, repeat: null } as const;
  await intake.enqueue({ ...task, due: { kind: 'now' }, pastDue: 'fire' });
}
