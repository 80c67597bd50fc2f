import type { ClaimedTask, TaskQueue } from '../store.ts';
import type { Opened } from './flip-source.ts';
import { storedInstant } from './instant.ts';
import { resolveStoreOptions } from './options.ts';
import type { StoreOptions } from './options.ts';
import { Session } from './session.ts';

/**
 * Questions that one claim may ask, each of which looks at 500 rows at most and lets every stop that waits go first. What it
 * settles meanwhile counts: a claimant that got nothing goes on there when it asks again.
 */
const CLAIM_ASKS = 40;

/** The queue on a connection of its own. */
export function openTaskQueue(options: StoreOptions): Opened<TaskQueue> {
  const resolved = resolveStoreOptions(options);
  const { namespace } = resolved;
  const session = new Session('tasks', resolved);
  return {
    claim: async (incarnation, limit, claimMs) => {
      for (let ask = 1; ask <= CLAIM_ASKS; ask += 1) {
        const values = [namespace, incarnation, limit, claimMs];
        const claimed = await session.call<readonly ClaimedTask[] | null>('claim', values);
        if (claimed !== null) return claimed;
      }
      return [];
    },
    extend: async (claims, claimMs) => {
      if (claims.length === 0) return [];
      const tasks = claims.map(({ task }) => task);
      const tokens = claims.map(({ token }) => token);
      return session.call('extend', [namespace, tasks, tokens, claimMs]);
    },
    finish: async ({ task, token }, end, againAt) =>
      session.call('finish', [namespace, task, token, end, againAt === undefined ? null : storedInstant(againAt)]),
    halted: ({ task, token }, engagement) => session.call('halted', [namespace, task, token, engagement]),
    retry: ({ task, token }, delayMs) => session.call('retry', [namespace, task, token, delayMs]),
    giveBack: ({ task, token }) => session.call('give_back', [namespace, task, token]),
    sweep: (limit) => session.call('sweep', [namespace, limit]),
    counts: () => session.call('counts', [namespace]),
    close: () => session.close(),
  };
}
