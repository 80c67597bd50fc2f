import { describeStoreContract } from './contract.ts';
import { prepareDatabase } from './postgres/prepared-database.ts';

describeStoreContract('PostgreSQL', async () => {
  const database = await prepareDatabase();
  return {
    openWorld: async (namespace) => {
      await database.addNamespace(namespace);
      return { open: async (options) => database.open(namespace, options ?? {}) };
    },
    close: () => database.close(),
  };
});
