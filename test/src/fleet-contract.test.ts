import { describe, expect, it } from 'vitest';
import { KilldrillError } from '../../src/errors.ts';
import { CONTRACT_VARIABLES, readContract } from '../../src/fleet-contract.ts';

const GIVEN = {
  KILLDRILL_WORKER: 'w1',
  KILLDRILL_NAMESPACE: 'drill',
  KILLDRILL_WORLD_URL: 'http://127.0.0.1:4000/token/',
};

function refusalOf(environment: Readonly<Record<string, string | undefined>>): KilldrillError {
  try {
    readContract(environment);
  } catch (error) {
    if (error instanceof KilldrillError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

describe('the fleet contract', () => {
  it('needs a worker, a namespace and a world; the rest is null where it is unset', () => {
    expect(readContract({ ...GIVEN, PATH: '/bin' })).toEqual({
      worker: 'w1',
      namespace: 'drill',
      worldUrl: 'http://127.0.0.1:4000/token',
      databaseUrl: null,
      registryUrl: null,
      tracePath: null,
      seed: null,
      leaseMs: null,
      agents: null,
      fleetFolder: null,
      snapshotFolder: null,
      detection: null,
      keys: null,
      stateFile: null,
      stateKey: null,
    });
  });

  it('reads numbers', () => {
    const read = readContract({ ...GIVEN, KILLDRILL_SEED: '-7', KILLDRILL_LEASE_MS: '1200', KILLDRILL_AGENTS: '16' });
    expect(read).toMatchObject({ seed: -7, leaseMs: 1_200, agents: 16 });
  });

  it('names everything that is missing at once, and who would set it', () => {
    const { code, message } = refusalOf({});
    expect(code).toBe('CONTRACT_ENVIRONMENT');
    for (const name of Object.keys(GIVEN)) expect(message).toContain(name);
    expect(message).toContain("'killdrill run'");
  });

  it.each([
    ['KILLDRILL_WORKER', ''],
    ['KILLDRILL_WORLD_URL', 'somewhere'],
    ['KILLDRILL_WORLD_URL', 'ftp://127.0.0.1/'],
    ['KILLDRILL_SEED', 'many'],
    ['KILLDRILL_SEED', ''],
    ['KILLDRILL_SEED', '1.5'],
    ['KILLDRILL_LEASE_MS', '10'],
    ['KILLDRILL_LEASE_MS', 'NaN'],
    ['KILLDRILL_LEASE_MS', 'Infinity'],
    ['KILLDRILL_AGENTS', '0'],
    ['KILLDRILL_AGENTS', '513'],
    ['KILLDRILL_AGENTS', ' '],
    ['KILLDRILL_DATABASE_URL', ''],
    ['KILLDRILL_SNAPSHOT_FOLDER', ''],
  ])('refuses %s=%j by name', (name, value) => {
    expect(refusalOf({ ...GIVEN, [name]: value }).message).toContain(name);
  });

  const DETECTS = { ...GIVEN, KILLDRILL_DETECTORS: '{"rules":[]}', KILLDRILL_DETECTOR_KEY: 'AAEC' };

  it('reads detectors with their key and their bus', () => {
    const read = readContract({ ...DETECTS, KILLDRILL_ALERTS_URL: 'postgres://w@127.0.0.1:1/db' });
    expect(read.detection).toEqual({
      detectors: { rules: [] },
      privateKey: Buffer.from([0, 1, 2]),
      bus: { kind: 'postgres', url: 'postgres://w@127.0.0.1:1/db' },
      topic: null,
    });
    const kafka = { KILLDRILL_KAFKA_BROKERS: '127.0.0.1:1, 127.0.0.1:2', KILLDRILL_ALERTS_TOPIC: 'a' };
    expect(readContract({ ...DETECTS, ...kafka }).detection).toMatchObject({
      bus: { kind: 'kafka', brokers: ['127.0.0.1:1', '127.0.0.1:2'] },
      topic: 'a',
    });
  });

  it.each<[string, Readonly<Record<string, string | undefined>>, RegExp]>([
    ['a key', { KILLDRILL_DETECTOR_KEY: undefined, KILLDRILL_ALERTS_URL: 'x' }, /KILLDRILL_DETECTOR_KEY: is missing/],
    ['a bus', {}, /KILLDRILL_ALERTS_URL, KILLDRILL_KAFKA_BROKERS: neither is set/],
    ['one bus', { KILLDRILL_ALERTS_URL: 'x', KILLDRILL_KAFKA_BROKERS: 'y:1' }, /both are set, expected one/],
    ['JSON', { KILLDRILL_DETECTORS: '{', KILLDRILL_ALERTS_URL: 'x' }, /KILLDRILL_DETECTORS: is no JSON/],
  ])('refuses detectors without %s', (_, changes, expected) => {
    expect(refusalOf({ ...DETECTS, ...changes }).message).toMatch(expected);
  });

  it('describes every variable that it reads, for the reference', () => {
    expect(CONTRACT_VARIABLES.filter(({ always }) => always).map(({ name }) => name)).toEqual(Object.keys(GIVEN));
    expect(CONTRACT_VARIABLES.filter(({ meaning }) => meaning === '')).toEqual([]);
  });
});
