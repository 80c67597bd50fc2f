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
      snapshotFolder: null,
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

  it('describes every variable that it reads, for the reference', () => {
    expect(CONTRACT_VARIABLES.filter(({ always }) => always).map(({ name }) => name)).toEqual(Object.keys(GIVEN));
    expect(CONTRACT_VARIABLES.filter(({ meaning }) => meaning === '')).toEqual([]);
  });
});
