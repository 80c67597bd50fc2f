import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { hostedOptions } from '../../../harness/cli/hosted-options.ts';
import type { HostedFlags } from '../../../harness/cli/hosted-options.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-hosted-'));
  write(
    'rules.yaml',
    'detector: watch\nrules:\n  - { kind: write-rate, per: tenant, windowMs: 1000, perSecond: 30 }\n',
  );
  write('torn.yaml', 'detector: [');
  write('twice.yaml', 'detector: a\ndetector: b\nrules: []\n');
  write('wrong.yaml', 'detector: d\nrules: [{ kind: write-rate, per: tenant, windowMs: 1000, perSecond: many }]\n');
  makeKey('known', 'tenant');
  makeKey('other', 'tenant');
  makeKey('narrow', 'agent');
  return () => rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);
const write = (name: string, text: string): void => writeFileSync(at(name), text, { mode: 0o600 });

/** A detector's private key, and the list that an executor knows it by. */
function makeKey(name: string, widestScope: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  write(`${name}.pem`, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
  const pem = publicKey.export({ format: 'pem', type: 'spki' });
  write(
    `${name}.json`,
    JSON.stringify([{ detector: 'watch', publicKey: pem, widestScope, strictestMode: 'halt_all' }]),
  );
}

/** Flags that name files, from the folder's names. */
function flagsOf({ executor, detectors, detectorKey, ...rest }: HostedFlags): HostedFlags {
  return {
    ...rest,
    ...(executor === undefined ? {} : { executor: at(executor) }),
    ...(detectors === undefined ? {} : { detectors: at(detectors) }),
    ...(detectorKey === undefined ? {} : { detectorKey: at(detectorKey) }),
  };
}

describe('what serve is asked to do besides', () => {
  test('is nothing unless somebody says so', () => {
    expect(hostedOptions({})).toEqual({
      executor: null,
      detectors: null,
      canaryEveryMs: null,
      sinks: null,
      mirror: null,
    });
  });

  test('is read from its flags and files', () => {
    const bus = { brokers: 'a:9092, b:9092', topic: 'alerts' };
    const flags = { executor: 'known.json', detectors: 'rules.yaml', detectorKey: 'known.pem', canaryEvery: '10m' };
    const own = { group: 'mine', alertQueue: 'park', alertMode: 'halt_noncritical', signedOnly: true } as const;
    expect(hostedOptions(flagsOf({ ...flags, ...bus, ...own }))).toMatchObject({
      executor: {
        ...{ bus: { brokers: ['a:9092', 'b:9092'], topic: 'alerts' }, group: 'mine' },
        ...{ queue: 'park', strictestMode: 'halt_noncritical', unsigned: 'refused' },
      },
      detectors: { config: { detector: 'watch', rules: [{ name: 'write-rate-per-tenant' }] } },
      canaryEveryMs: 600_000,
    });
    expect(hostedOptions(flagsOf({ executor: 'known.json' })).executor).toMatchObject({
      ...{ bus: { brokers: [] }, queue: 'discard', unsigned: 'accepted' },
    });
  });

  test.each<[HostedFlags, string]>([
    [{ detectors: 'rules.yaml' }, '--detectors and --detector-key are needed both'],
    [{ detectorKey: 'known.pem' }, '--detectors and --detector-key are needed both'],
    [{ detectors: 'nowhere.yaml', detectorKey: 'known.pem' }, 'nowhere.yaml: the detectors cannot be read'],
    [{ detectors: 'rules.yaml', detectorKey: 'known.json' }, 'it holds no private key'],
    [{ detectors: 'torn.yaml', detectorKey: 'known.pem' }, 'torn.yaml:1:'],
    [{ detectors: 'twice.yaml', detectorKey: 'known.pem' }, 'twice.yaml:2:1'],
    [{ detectors: 'wrong.yaml', detectorKey: 'known.pem' }, 'rules[0].perSecond'],
    [{ executor: 'nowhere.json' }, 'nowhere.json'],
    [{ executor: 'rules.yaml' }, 'rules.yaml'],
    [
      { executor: 'other.json', detectors: 'rules.yaml', detectorKey: 'known.pem' },
      "--executor knows no key of detector 'watch' that --detector-key signs with",
    ],
    [
      { executor: 'narrow.json', detectors: 'rules.yaml', detectorKey: 'narrow.pem' },
      "not ask for halt_all of a tenant, as its rule 'write-rate-per-tenant' does",
    ],
    [{ topic: 'alerts' }, 'is for --executor'],
    [{ brokers: 'a:1' }, 'are for --executor'],
    [{ alertQueue: 'park' }, 'are for --executor'],
    [{ alertMode: 'halt_all' }, 'are for --executor'],
    [{ signedOnly: true }, 'are for --executor'],
    [{ group: 'mine', detectors: 'rules.yaml', detectorKey: 'known.pem', brokers: 'a:1' }, 'are for --executor'],
    [{ executor: 'known.json', group: 'mine' }, '--group is for --brokers'],
    [{ executor: 'known.json', brokers: 'nowhere' }, "--brokers names 'nowhere'"],
    [{ executor: 'known.json', brokers: 'a:1,,b:2' }, "--brokers names ''"],
    [{ executor: 'known.json', brokers: '' }, "--brokers names ''"],
    [{ executor: 'known.json', brokers: 'a:1', topic: 'two words' }, "topic is 'two words'"],
    [{ executor: 'known.json', brokers: 'a:1', group: 'two words' }, "group is 'two words'"],
    [{ executor: 'known.json', topic: '' }, "--topic is ''"],
    [{ canaryEvery: '59s' }, 'from 1m to 1440m'],
    [{ canaryEvery: '1441m' }, 'from 1m to 1440m'],
    [{ canaryEvery: 'often' }, "--canary-every is 'often'"],
    [{ canaryEvery: '0' }, "--canary-every is '0'"],
  ])('is refused, with what is wrong: %j', (flags, words) => {
    expect(() => hostedOptions(flagsOf(flags))).toThrow(words);
  });
});
