import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openDetecting } from '../../fleet-sim/detecting.ts';
import { systemClock } from '../../src/clock.ts';
import type { ContractEvent } from '../../src/fleet-contract.ts';
import { isSignedBy } from '../../src/ed25519.ts';
import { prepareDatabase } from '../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../src/store/postgres/prepared-database.ts';

let database: PreparedDatabase;
beforeAll(async () => {
  database = await prepareDatabase();
});
afterAll(() => database.close());

const SOON = { timeout: 10_000, interval: 5 };
const RULE = { kind: 'write-rate', per: 'tenant', windowMs: 1_000, perSecond: 5 };
const SUBJECT = { tenant: 'acme', feature: 'f', agent: 'a', run: 'r', lineage: [], capability: 'write/crm' };
const EFFECT = { capability: 'write/crm', access: 'write', deadlineMs: 1_000, idempotencyKey: 'k' } as const;

async function detecting(url: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const said: ContractEvent[] = [];
  const opened = await openDetecting(
    {
      detectors: { detector: 'fleet', widestScope: 'tenant', rules: [RULE] },
      privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }),
      bus: { kind: 'postgres', url },
      topic: `alerts-${randomUUID()}`,
    },
    {
      ...{ namespace: 'prepared', clock: systemClock, observedRevision: () => 7 },
      say: (event) => void said.push(event),
    },
  );
  const write = (times: number): void => {
    for (let nth = 0; nth < times; nth += 1) opened.observer.sent(SUBJECT, EFFECT);
  };
  return { said, write, publicKey, close: () => opened.close() };
}

describe("a worker's detectors", () => {
  test('say an alert to the letter, and the bus’s acknowledgement, once its rate is red', async () => {
    const { said, write, publicKey, close } = await detecting(database.workerUrl);
    write(4);
    expect(said).toEqual([]);
    write(1);
    await vi.waitFor(() => expect(said).toHaveLength(2), SOON);
    const [raised, answered] = said;
    const { text, signature } = raised?.event === 'alert.raised' ? raised : { text: '', signature: null };
    expect(JSON.parse(text)).toMatchObject({
      ...{ namespace: 'prepared', detector: 'fleet', scope: 'tenant', target: 'acme', mode: 'halt_all' },
      ...{ observedRevision: 7, evidence: { value: 5, threshold: 5 } },
    });
    expect(isSignedBy(Buffer.from(text), signature ?? '', publicKey)).toBe(true);
    const content = createHash('sha256').update(text).digest('hex');
    expect(answered).toEqual({ event: 'alert.acknowledged', content, ok: true, error: null });
    await close();
  });

  test('say that the bus did not take it, and raise it again while it is red', async () => {
    const { said, write, close } = await detecting('postgres://nobody@127.0.0.1:1/nowhere');
    write(50);
    await vi.waitFor(
      () => expect(said.filter(({ event }) => event === 'alert.raised').length).toBeGreaterThan(1),
      SOON,
    );
    expect(said[1]).toMatchObject({ event: 'alert.acknowledged', ok: false, error: expect.stringMatching(/./) });
    await close();
  });
});
