import { defineConfig } from 'vitest/config';

const servers = 'test/**/*.server.test.ts';
const kafka = 'test/**/*.kafka.test.ts';
const drills = 'test/e2e/**/*.test.ts';

/**
 * Four kinds of tests: `unit` (pure, seconds), `servers` (a real PostgreSQL, a database a file), `kafka` (a real broker a
 * file, where there is one; one file at a time) and `drills` (whole drills through the built command, one at a time).
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [servers, kafka, drills],
          // They take milliseconds; on a machine that is kept busy by others that is no reason to fail.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'servers',
          include: [servers],
          exclude: [drills],
          globalSetup: ['test/support/postgres-server.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'kafka',
          include: [kafka],
          exclude: [drills],
          globalSetup: ['test/support/infrastructure.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'drills',
          include: [drills],
          fileParallelism: false,
          // After all others: what keeps the processors busy keeps a fleet from its work too.
          sequence: { groupOrder: 2 },
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
