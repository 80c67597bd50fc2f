import { connectWorkerStore } from '../../src/index.ts';
import type { WorkerStore } from '../../src/index.ts';
import type { Mutant } from './mutant.ts';

export const otherNamespace: Mutant = {
  name: 'other-namespace',
  bug: 'the workers are started for another namespace: they register and work there, and hear nothing of stops that are meant for them',
  removes: ['registration', 'propagation'],
  property: 'stop_was_effective',
  scenario: 'halt-wait',
  sql: `insert into head (namespace, epoch) select namespace || '-other', 'other' from head;`,
  bend({ databaseUrl, namespace, differs }) {
    return {
      store: (genuine) => {
        const mutated = `${namespace}-other`;
        const other = connectWorkerStore({ namespace: mutated, databaseUrl, registryUrl: databaseUrl });
        other.then(
          () => differs({ input: 'the namespace of the store', unmodified: namespace, mutated }),
          () => undefined,
        );
        return {
          source: later(other.then(({ source }) => source)),
          fence: later(other.then(({ fence }) => fence)),
          outcomes: later(other.then(({ outcomes }) => outcomes)),
          tasks: later(other.then(({ tasks }) => tasks)),
          reports: later(other.then(({ reports }) => reports ?? nobody())),
          close: async () => void (await Promise.all([genuine.close(), other.then((store) => store.close())])),
        };
      },
    };
  },
};

/** A port whose methods wait for it: those of a store are all asynchronous. */
function later<T extends object>(port: Promise<T>): T {
  const ask = (name: string | symbol, values: readonly unknown[]): Promise<unknown> =>
    port.then((there) => {
      const method: unknown = Reflect.get(there, name);
      return typeof method === 'function' ? (Reflect.apply(method, there, values) as unknown) : method;
    });
  return new Proxy({} as T, {
    get: (_, name) => (name === 'then' ? undefined : (...values: readonly unknown[]) => ask(name, values)),
  });
}

function nobody(): NonNullable<WorkerStore['reports']> {
  throw new Error('the store that was connected takes no reports');
}
