import type { TaskQueue } from '../store.ts';
import type { Opened } from './flip-source.ts';
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
    finish: ({ task, token }, end) => session.call('finish', [namespace, task, token, end]),
    giveBack: ({ task, token }) => session.call('give_back', [namespace, task, token]),
    close: () => session.close(),
  };
}
