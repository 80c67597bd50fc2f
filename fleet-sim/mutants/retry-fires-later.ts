import type { ClaimedTask, Runtime } from '../../src/index.ts';
import type { AgentTools } from '../agent-tools.ts';
import { readPlan } from '../plan.ts';
import { NotNowError } from '../world-client.ts';
import type { Mutant, MutantContext } from './mutant.ts';

const MAX_ATTEMPTS = 5;
/** Where the plan does not say how long to wait. */
const DEFAULT_DELAY_MS = 500;

type Sent = Parameters<AgentTools['world']['sendEffect']>[0];

export const retryFiresLater: Mutant = {
  name: 'retry-fires-later',
  bug: 'leaves retries to its client, which waits in the process and sends again whatever its signal says',
  removes: ['queue', 'gate', 'fence', 'abort'],
  property: 'timers_and_retries_cancelled',
  scenario: 'tenant',
  bend({ runtime, differs }) {
    return {
      tools: (genuine) => {
        const sendEffect = (effect: Sent): Promise<void> => sendStubbornly(effect, genuine, { runtime, differs });
        return { ...genuine, world: { spawn: (wish) => genuine.world.spawn(wish), sendEffect } };
      },
    };
  },
};

async function sendStubbornly(
  effect: Sent,
  { world, clock, stopping }: AgentTools,
  { runtime, differs }: Pick<MutantContext, 'runtime' | 'differs'>,
): Promise<void> {
  const under = claimedFor(effect, runtime());
  for (let attempt = 1; ; attempt += 1) {
    try {
      await world.sendEffect(effect);
      return;
    } catch (error) {
      if (!(error instanceof NotNowError) || attempt >= MAX_ATTEMPTS || stopping.aborted) throw error;
    }
    await new Promise<void>((resolve) => clock.after(delayOf(effect, under), resolve));
    if (under !== null && isStopped(effect, under, runtime())) {
      differs({ input: effect.idempotencyKey, unmodified: 'halted in the queue', mutated: 'sent again' });
    }
    effect = withoutSignal(effect);
  }
}

/** The task under whose claim it is sent; null for the effect of a child that runs within its parent. */
function claimedFor({ run, idempotencyKey }: Sent, { claims }: Runtime): ClaimedTask | null {
  const tasks = claims.tasks();
  return tasks.find(({ id }) => id === idempotencyKey) ?? tasks.find((task) => task.id === run) ?? null;
}

function delayOf({ run, idempotencyKey }: Sent, under: ClaimedTask | null): number {
  if (under === null) return DEFAULT_DELAY_MS;
  const index = under.id === idempotencyKey ? 0 : Number(idempotencyKey.slice(run.length + 1));
  return readPlan(run, under.plan)[index]?.delayMs ?? DEFAULT_DELAY_MS;
}

function isStopped({ capability }: Sent, { tenant, feature, agent, run, lineage }: ClaimedTask, { decider }: Runtime) {
  return decider.stopFor({ tenant, feature, agent, run, lineage, capability }) !== null;
}

function withoutSignal({ run, capability, idempotencyKey, body }: Sent): Sent {
  return { run, capability, idempotencyKey, body };
}
