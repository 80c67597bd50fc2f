import type { TaskQueue } from '../store.ts';
import type { Opened } from './flip-source.ts';
import { storedInstant } from './instant.ts';
import { resolveStoreOptions } from './options.ts';
import type { StoreOptions } from './options.ts';
import { Session } from './session.ts';

/** The queue on a connection of its own. */
export function openTaskQueue(options: StoreOptions): Opened<TaskQueue> {
  const resolved = resolveStoreOptions(options);
  const { namespace } = resolved;
  const session = new Session('tasks', resolved);
  return {
    claim: (incarnation, limit, claimMs) => session.call('claim', [namespace, incarnation, limit, claimMs]),
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
