import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RegistryDecider } from '../../../src/decider.ts';
import { Lease } from '../../../src/lease.ts';
import { haltByFileNow } from '../../../src/propagation/halt-by-file.ts';
import { ed25519Seal, hmacSeal } from '../../../src/propagation/state-seal.ts';
import { ManualClock } from '../manual-clock.ts';
import { KEY, SOMEBODY, follow, nextTick, openSwitch, stateFolder, stopOf } from './state-stage.ts';
import type { Follower } from './state-stage.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = stateFolder();
  path = join(folder, 'state.json');
});

const haltedIn = ({ registry }: Follower): boolean => registry.decide(SOMEBODY).kind === 'halt';

describe('a feed of a state file', () => {
  it('brings a stop by the system’s notification, and by the next poll where there is none', async () => {
    openSwitch(path).create();
    const [watching, polling] = [follow(path, { pollMs: 60_000 }), follow(path, { pollMs: 5 })];
    for (const { feed } of [watching, polling]) {
      feed.start();
      onTestFinished(() => feed.close());
      await feed.ready();
    }
    haltByFileNow(path, stopOf('s1'));
    await vi.waitFor(() => expect([watching, polling].map(haltedIn)).toEqual([true, true]), { timeout: 10_000 });
  });

  it('polls a folder that comes later, and trusts nothing until the file is there', async () => {
    const late = join(folder, 'later', 'state.json');
    const one = follow(late, { pollMs: 5 });
    one.feed.start();
    onTestFinished(() => one.feed.close());
    expect(one.feed.refusal?.code).toBe('missing');
    mkdirSync(join(folder, 'later'));
    openSwitch(late).create();
    await one.feed.ready();
    expect(one.feed.verified()).toBe(true);
  });

  it('gives a hand’s stop the same id for all who look, and another for each creation', async () => {
    openSwitch(path).create();
    const [one, other] = [follow(path), follow(path)];
    const idsOf = ({ registry }: Follower): string[] => registry.openEngagements().map(({ id }) => id);
    const look = (): void => [one, other].forEach(({ feed }) => feed.look());
    writeFileSync(join(folder, 'HALT'), '');
    look();
    expect(idsOf(one)).toEqual(idsOf(other));
    expect(idsOf(one)).toHaveLength(1);
    await openSwitch(path).disengage('over');
    look();
    expect([...idsOf(one), ...idsOf(other)]).toEqual([]);
    nextTick(folder);
    rmSync(join(folder, 'HALT'));
    writeFileSync(join(folder, 'HALT'), '');
    look();
    expect(idsOf(one)).toEqual(idsOf(other));
    expect(idsOf(one)).toHaveLength(1);
  });

  it('waits for no pipe: as HALT it stops, and as the state file it is not trusted', () => {
    openSwitch(path).create();
    execFileSync('mkfifo', [join(folder, 'HALT')]);
    const one = follow(path);
    one.feed.look();
    expect(haltedIn(one)).toBe(true);
    rmSync(path);
    execFileSync('mkfifo', [path]);
    one.feed.look();
    expect(one.feed.refusal).toMatchObject({
      code: 'unreadable',
      why: expect.stringContaining('no ordinary file') as string,
    });
  });

  it('offers a program’s stop to the store as it was signed, and a hand’s as whoever holds the right to stop signs it', () => {
    openSwitch(path).create();
    const sign = (text: string): string => `signed ${text.length}`;
    const [plain, silent, signing] = [follow(path), follow(path, { offersUnsigned: false }), follow(path, { sign })];
    haltByFileNow(path, stopOf('signed'), () => 'by its taker');
    writeFileSync(join(folder, 'HALT'), '');
    for (const { feed } of [plain, silent, signing]) feed.look();
    const offers = ({ registry }: Follower): Set<string | null> =>
      new Set(registry.toRelay().map(({ signature }) => signature));
    expect(offers(plain)).toEqual(new Set(['by its taker', null]));
    expect(offers(silent)).toEqual(new Set(['by its taker']));
    expect([...offers(signing)]).toEqual(expect.arrayContaining(['by its taker', expect.stringMatching(/^signed/)]));
    expect([plain, silent, signing].map(haltedIn)).toEqual([true, true, true]);
  });

  it('takes what it cannot read beside the file for a hand’s stop', () => {
    openSwitch(path).create();
    const one = follow(path);
    writeFileSync(`${path}.halt-half`, '{"stop":"{\\"name');
    one.feed.look();
    expect(haltedIn(one)).toBe(true);
    expect(one.feed.verified()).toBe(true);
  });

  it('is believed with a public key alone, and only what its other half has sealed', () => {
    const [keys, others] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
    openSwitch(path, { seal: ed25519Seal([keys.publicKey], keys.privateKey) }).create();
    expect(follow(path, { seal: ed25519Seal([others.publicKey, keys.publicKey]) })).toSatisfy(looksVerified);
    expect(follow(path, { seal: ed25519Seal([others.publicKey]) })).not.toSatisfy(looksVerified);
    expect(follow(path, { seal: hmacSeal(KEY) })).not.toSatisfy(looksVerified);
  });

  it('lets no process without the key write the file, and every process stop', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    openSwitch(path, { seal: ed25519Seal([publicKey], privateKey) }).create();
    const agent = openSwitch(path, { seal: ed25519Seal([publicKey]) });
    const taken = await agent.engage('it lost its way');
    expect(taken.notWritten).toMatch(/can check its seal, and not make one/);
    await expect(agent.disengage('found it')).rejects.toThrow(/can check its seal/);
    const operator = openSwitch(path, { seal: ed25519Seal([publicKey], privateKey) });
    expect(operator.getStatus().engagements.map(({ id }) => id)).toEqual([taken.id]);
    await operator.disengage('found it');
    expect(agent.mode).toBe('disengaged');
  });
});

describe('a state file that has to be fresh', () => {
  it('is trusted from the second writing on, for as long as it is written again', async () => {
    const clock = new ManualClock();
    const operator = openSwitch(path);
    operator.create();
    const { feed } = follow(path, { maxAgeMs: 1_000 }, clock);
    feed.look();
    expect(feed.refusal?.code).toBe('not-fresh');
    await operator.engage('written again', { on: { scope: 'tenant', target: 'other' } });
    feed.look();
    expect(feed.verified()).toBe(true);
    clock.advance(999);
    feed.look();
    expect(feed.verified()).toBe(true);
    clock.advance(2);
    feed.look();
    expect(feed.refusal).toMatchObject({ code: 'not-fresh', why: /within 1000 ms/ });
  });

  it('is not trusted by a process that has not looked for long', () => {
    const clock = new ManualClock();
    openSwitch(path).create();
    const { feed } = follow(path, {}, clock);
    feed.look();
    expect(feed.verified()).toBe(true);
    clock.advance(1_300);
    expect(feed.refusal?.code).toBe('not-fresh');
  });
});

describe('a decider beside a state file', () => {
  it('trusts its registry only while the file can be trusted too, and says why not', () => {
    const clock = new ManualClock();
    openSwitch(path).create();
    const { feed, registry } = follow(path);
    const lease = new Lease(clock);
    const decider = new RegistryDecider(registry, lease, feed);
    const head = { epoch: 'e', revision: 0, hash: '' };
    registry.load({ head, ageMs: 10_000, open: [], critical: [] });
    lease.renew(lease.asked(), { ageMs: 10_000 });
    feed.look();
    expect(decider.verified()).toBe(true);
    const whole = readFileSync(path, 'utf8');
    nextTick(folder);
    writeFileSync(path, whole.slice(0, 40));
    feed.look();
    expect(decider.verified()).toBe(false);
    expect(decider.unverifiedBecause()).toMatch(/is not whole/);
    writeFileSync(`${path}.back`, whole);
    renameSync(`${path}.back`, path);
    feed.look();
    expect(decider.verified()).toBe(true);
  });
});

function looksVerified({ feed }: Follower): boolean {
  feed.look();
  return feed.verified();
}
