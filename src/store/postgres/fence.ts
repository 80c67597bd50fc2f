import type { Fence, FenceAnswer, Head, Intent, NewTask } from '../store.ts';
import { arrayLiteral } from './array-literal.ts';
import type { Opened } from './flip-source.ts';
import { storedInstant } from './instant.ts';
import { intentColumns } from './intent-columns.ts';
import { resolveStoreOptions } from './options.ts';
import type { ResolvedStoreOptions, StoreOptions } from './options.ts';
import { Session } from './session.ts';

/**
 * The fence on a connection of its own. A batch that is not answered is given up and its connection ended; nothing is
 * ever sent twice.
 */
export function openFence(options: StoreOptions): Opened<Fence> {
  return new PostgresFence(resolveStoreOptions(options));
}

class PostgresFence implements Fence {
  readonly #options: ResolvedStoreOptions;
  readonly #session: Session;

  constructor(options: ResolvedStoreOptions) {
    this.#options = options;
    this.#session = new Session('fence', options);
  }

  admitIntents(incarnation: string, head: Head, intents: readonly Intent[]): Promise<FenceAnswer> {
    return this.#session.call('admit_intents', [...this.#gate(head), incarnation, ...intentColumns(intents)]);
  }

  async enqueue(head: Head, tasks: readonly NewTask[]): Promise<FenceAnswer> {
    return this.#session.call('enqueue', [...this.#gate(head), ...taskColumns(tasks)]);
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #gate(head: Head): readonly unknown[] {
    const { namespace, timings } = this.#options;
    return [namespace, timings.minimumAgeMs, head.epoch, head.revision, head.hash];
  }
}

function taskColumns(tasks: readonly NewTask[]): readonly unknown[] {
  return [
    tasks.map((task) => task.id),
    tasks.map((task) => task.kind),
    tasks.map((task) => task.run),
    tasks.map((task) => task.tenant),
    tasks.map((task) => task.feature),
    tasks.map((task) => task.agent),
    tasks.map((task) => arrayLiteral(task.lineage)),
    tasks.map((task) => task.capability),
    tasks.map((task) => JSON.stringify(task.plan ?? null)),
    tasks.map(({ due }) => (due.kind === 'in' ? due.ms : 0)),
    tasks.map(({ due }) => (due.kind === 'at' ? storedInstant(due.at) : null)),
    tasks.map((task) => task.pastDue),
    tasks.map((task) => task.repeat),
  ];
}
