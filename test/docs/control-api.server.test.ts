import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startServe } from '../harness/cli/served-process.ts';
import type { ServedProcess } from '../harness/cli/served-process.ts';
import { prepareDatabase } from '../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../src/store/postgres/prepared-database.ts';
import { deedsOf } from './guide.ts';
import { Reader } from './reader.ts';

vi.setConfig({ testTimeout: 240_000 });
const NAMESPACE = 'payments';
let database: PreparedDatabase;
let reader: Reader;
let served: ServedProcess | null = null;

beforeEach(async () => {
  database = await prepareDatabase();
  await database.addNamespace(NAMESPACE);
  reader = new Reader('', { FLIPPER_URL: database.flipperUrl });
});
afterEach(async () => {
  await served?.end('SIGKILL');
  reader.close();
  await database.close();
});

it('a reader of the guide to the control API has keys, stops, looks, and releases with the right one', async () => {
  const printed: string[] = [];
  for (const deed of deedsOf('docs/guides/run-the-control-api.md')) {
    if (deed.kind !== 'command') throw new Error(`the guide has commands only, and here is a ${deed.kind}`);
    if (deed.line === 'npx killdrill serve') {
      served = await serve();
      continue;
    }
    const line = served === null ? deed.line : deed.line.replaceAll('http://127.0.0.1:8710', served.url);
    const { code, stdout, stderr } = await reader.runCommand(line);
    expect({ line, code, stderr }).toMatchObject({ line, code: deed.exitCode });
    printed.push(stdout);
  }
  const all = printed.join('\n');
  expect(all).toMatch(/"id":"incident-17","durable":true,"revision":1/);
  expect(all).toMatch(/"engagements":\[\{"id":"incident-17","scope":"tenant","target":"acme"/);
  expect(all).toMatch(/"code":"KEY_KIND"/);
  expect(all).toMatch(/"revision":2,"closed":\[\{"id":"incident-17"/);
  const owner = await database.connect(database.ownerUrl);
  const { rows } = await owner.query<{ triggered: string }>(
    `select text::jsonb ->> 'triggeredBy' as triggered from killdrill.flip where namespace = $1 order by revision`,
    [NAMESPACE],
  );
  expect(rows.map(({ triggered }) => triggered)).toEqual(['on-call', 'shift-lead']);
});

/** As the guide starts it, in the reader's folder; the port is one that is free. */
async function serve(): Promise<ServedProcess> {
  const env = { KILLDRILL_DATABASE_URL: database.flipperUrl, KILLDRILL_NAMESPACE: NAMESPACE };
  const one = await startServe([], env, reader.folder);
  await vi.waitUntil(async () => (await fetch(`${one.url}/readyz`)).status === 200, { timeout: 30_000, interval: 50 });
  return one;
}
