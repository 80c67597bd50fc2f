import { beforeEach, describe, expect, test } from 'vitest';
import { KilldrillError } from '../../../src/errors.ts';
import type { Alert } from '../../../src/alerts/alert.ts';
import { settled } from '../manual-clock.ts';
import { AlertRig } from './alert-rig.ts';
import type { RigExecutor } from './alert-rig.ts';
import { NAMESPACE, at, messageOf, raw, sampleAlert, signed } from './samples.ts';
import type { Sent } from './samples.ts';

let rig: AlertRig;

beforeEach(() => {
  rig = new AlertRig();
  return () => rig.close();
});

function stopOf(target: string, alert: Partial<Alert> = {}): Sent {
  return signed(rig.detector, { id: `id-${target}`, target, ...alert });
}

const POISON = raw('no JSON');

function enforced({ registry }: RigExecutor): readonly string[] {
  return registry.openEngagements().map(({ target }) => target);
}

describe('an executor', () => {
  test('makes an alert a durable stop, records it, and tells the bus afterwards', async () => {
    const one = await rig.start();
    rig.publish(stopOf('acme'));
    await settled();
    expect(rig.records()).toEqual(['0 flip']);
    expect([rig.position(), rig.topic.at(0).committed]).toEqual([1, 1]);
    expect(enforced(one)).toEqual(['acme']);
    expect(one.registry.revisionOf(one.registry.openEngagements()[0]?.id ?? '')).toBe(1);
    expect(one.events.map(({ kind }) => kind)).toEqual(['read', 'answered']);
    expect(one.executor.status()).toEqual({ isReading: true, backlog: 0, unanswered: 0 });
  });

  test('reads what came while nobody was there', async () => {
    rig.publish(stopOf('acme'));
    rig.publish(POISON);
    await rig.start();
    expect(rig.records()).toEqual(['0 flip', '1 poison']);
  });

  test('signs the flip where it is given the means, and stops without where they fail', async () => {
    const one = await rig.start({ sign: (text) => (text.includes('acme') ? 'mine' : fail()) });
    rig.publish(stopOf('acme'));
    rig.publish(stopOf('beta'));
    await settled();
    expect(rig.state.flips.map(({ record }) => record.signature)).toEqual(['mine', null]);
    expect(one.errors.map(({ message }) => message)).toEqual(['no key']);
  });

  test('keeps poison with its reason, records it, and goes on', async () => {
    await rig.start();
    for (const sent of [POISON, stopOf('acme'), stopOf('beta', { scope: 'global', target: '*' })]) rig.publish(sent);
    await settled();
    expect(rig.records()).toEqual(['0 poison', '1 flip', '2 poison']);
    expect(rig.topic.deadLetters.map(({ code }) => code)).toEqual(['unreadable', 'overreaching']);
    expect(rig.stops()).toEqual(['acme']);
  });

  test('makes a stop durable although poison before it has no acknowledged dead letter yet, and then stays before that', async () => {
    const one = await rig.start();
    rig.isBusAway = true;
    rig.publish(POISON);
    rig.publish(stopOf('acme'));
    rig.isBusAway = false;
    let isAcknowledged = false;
    rig.onStep = (_, step) => {
      if (step === 'after deadLetter' && !isAcknowledged) throw new Error('no acknowledgement');
    };
    await settled();
    expect(rig.stops()).toEqual(['acme']);
    expect(enforced(one)).toEqual(['acme']);
    expect(rig.position()).toBe(0);
    isAcknowledged = true;
    await rig.pass(200);
    expect(rig.position()).toBe(2);
    expect(rig.records()).toEqual(['0 poison', '1 flip']);
    expect(rig.deadPositions()).toEqual([0, 0]);
  });

  test('has the first stops of a storm recorded while it still judges the rest', async () => {
    const targets = Array.from({ length: 100 }, (_, number) => `t${number}`);
    for (const target of targets) rig.publish(stopOf(target));
    const one = await rig.start();
    for (let look = 0; look < 50 && rig.stops().length < 100; look += 1) await settled();
    expect(rig.stops()).toEqual(targets);
    const kinds = one.events.map(({ kind }) => kind);
    expect(kinds.indexOf('answered')).toBeLessThan(50);
    expect(kinds.lastIndexOf('read')).toBeGreaterThan(kinds.indexOf('answered'));
  });

  test('lets a stop wait for one statement about refused alerts, and not for all that there are', async () => {
    for (let number = 0; number < 700; number += 1) rig.publish(stopOf(`t${number}`));
    rig.clock.block(120_000);
    const steps: string[] = [];
    rig.onStep = async (_, step) => {
      if (step !== 'before refuse' && step !== 'before trip') return;
      steps.push(step);
      if (steps.length > 1) return;
      rig.publish(stopOf('acme', { raisedAt: at(120_000), expiresAt: at(180_000) }));
      await settled();
    };
    await rig.start();
    for (let look = 0; look < 50 && rig.position() !== 701; look += 1) await settled();
    expect(steps.slice(0, 3)).toEqual(['before refuse', 'before trip', 'before refuse']);
    expect([rig.position(), rig.stops()]).toEqual([701, ['acme']]);
  });

  test('records an expired alert and stops nothing', async () => {
    await rig.start();
    rig.clock.block(120_000);
    rig.publish(stopOf('acme'));
    await settled();
    expect(rig.records()).toEqual(['0 expired']);
    expect([rig.stops(), rig.topic.deadLetters]).toEqual([[], []]);
  });

  test('has one flip for an alert that was sent twice, also after its release', async () => {
    const one = await rig.start();
    rig.publish(stopOf('acme'));
    rig.publish(stopOf('acme'));
    await settled();
    await rig.release(rig.state.flips[0]?.id ?? '');
    rig.publish(stopOf('acme'));
    await settled();
    expect(rig.records()).toEqual(['0 flip', '1 duplicate', '2 duplicate']);
    expect([rig.stops(), enforced(one)]).toEqual([['acme'], []]);
  });

  test('takes an id that was used with other content for poison', async () => {
    const one = await rig.start();
    rig.publish(stopOf('acme', { id: 'x' }));
    rig.publish(stopOf('beta', { id: 'x', observedRevision: 99 }));
    await settled();
    expect(rig.records()).toEqual(['0 flip', '1 poison']);
    expect(rig.topic.deadLetters).toMatchObject([{ code: 'reused-id', why: expect.stringContaining(`'x'`) }]);
    // It was enforced at once, as new; that is over.
    expect(one.events.map(({ kind }) => kind)).toContain('held');
    expect([rig.stops(), enforced(one)]).toEqual([['acme'], ['acme']]);
  });

  test('lets nobody unsigned use up the ids of a detector', async () => {
    await rig.start();
    const alert = { id: 'x', scope: 'agent', target: 'a' } as const;
    rig.publish({ ...signed(rig.detector, { ...alert, reason: 'squatted' }), signature: null });
    rig.publish(signed(rig.detector, alert));
    await settled();
    expect(rig.records()).toEqual(['0 flip', '1 flip']);
  });
});

describe('a stale alert', () => {
  async function openAndRelease(target: string): Promise<void> {
    rig.publish(stopOf(target));
    await settled();
    await rig.release(rig.state.flips.at(-1)?.id ?? '');
  }

  test('stops nothing: a release since had closed its detector on its switch', async () => {
    const one = await rig.start();
    await openAndRelease('acme');
    rig.publish(stopOf('acme', { id: 'late', observedRevision: 1 }));
    await settled();
    expect(rig.records()).toEqual(['0 flip', '1 stale']);
    expect(rig.stops()).toEqual(['acme']);
    expect(one.events.map(({ kind }) => kind)).not.toContain('held');
  });

  test('is judged by the clock less the skew where it names no revision', async () => {
    await rig.start();
    rig.clock.block(20_000);
    await openAndRelease('acme');
    rig.publish(stopOf('acme', { id: 'old' }));
    const raisedAt = new Date(rig.clock.wallMs() - 4_900).toISOString();
    rig.publish(stopOf('acme', { id: 'in doubt', raisedAt }));
    await settled();
    expect(rig.records()).toEqual(['0 flip', '1 stale', '2 flip']);
  });

  test('is not one whose switch somebody else released, or another of the same detector', async () => {
    await rig.start();
    const operators = { id: 'by hand', triggeredBy: 'operator', source: 'api' };
    await rig.control.flip(JSON.stringify({ ...flipOf('acme'), ...operators }), null);
    await rig.release('by hand');
    await openAndRelease('beta');
    rig.publish(stopOf('acme', { observedRevision: 0 }));
    await settled();
    expect(rig.records()).toEqual(['0 flip', '1 flip']);
  });

  test('which was enforced before the store answered is let go by its answer, and by any relay', async () => {
    const one = await rig.start();
    await openAndRelease('acme');
    rig.isStoreAway = true;
    rig.publish(stopOf('acme', { id: 'late', observedRevision: 1 }));
    await rig.pass(60);
    const relayed = one.registry.toRelay();
    expect(relayed).toHaveLength(1);
    rig.isStoreAway = false;
    await rig.pass(150);
    expect(rig.records()).toEqual(['0 flip', '1 stale']);
    expect(one.registry.toRelay()).toEqual([]);
    for (const { text, signature } of relayed) {
      expect(await rig.control.relay(text, signature)).toMatchObject({ kind: 'closed' });
    }
    expect(rig.stops()).toEqual(['acme']);
  });

  test('is relayed by nobody while the store is only slow, and by its process once the store is away or it ends', async () => {
    const one = await rig.start();
    rig.onStep = (_, step) => (step === 'before trip' ? new Promise<void>(() => undefined) : undefined);
    rig.publish(stopOf('acme'));
    await rig.pass(100);
    expect([enforced(one), one.registry.toRelay()]).toEqual([['acme'], []]);
    await rig.pass(5_000); // the longest wait for an answer
    expect(one.registry.toRelay()).toHaveLength(1);
    const other = await rig.start();
    rig.topic.rebalance();
    await rig.pass(100);
    expect([enforced(other), other.registry.toRelay()]).toEqual([['acme'], []]);
    const closing = other.executor.close();
    await rig.pass(6_000);
    await closing;
    expect(other.registry.toRelay()).toHaveLength(1);
    rig.onStep = () => undefined;
    await rig.pass(6_000);
  });

  test('whose early stop a relay made durable first is a stop', async () => {
    const one = await rig.start();
    await openAndRelease('acme');
    rig.isStoreAway = true;
    rig.publish(stopOf('acme', { id: 'late', observedRevision: 1 }));
    await rig.pass(60);
    for (const { text, signature } of one.registry.toRelay()) await rig.control.relay(text, signature);
    rig.isStoreAway = false;
    await rig.pass(150);
    expect(rig.records()).toEqual(['0 flip', '1 flip']);
    expect(rig.stops()).toEqual(['acme', 'acme']);
  });
});

describe('a storm of alerts', () => {
  test('is recorded in few statements, and the stop of the widest scope goes with the first', async () => {
    const one = await rig.start();
    const steps: string[] = [];
    let isHeldUp = true;
    const waiting: (() => void)[] = [];
    rig.onStep = (_, step) => {
      steps.push(step);
      if (isHeldUp && step === 'before trip') return new Promise<void>((resolve) => void waiting.push(resolve));
      return undefined;
    };
    for (let nth = 1; nth <= 50; nth += 1) rig.publish(stopOf(`run ${nth}`, { scope: 'run' }));
    rig.publish(stopOf('acme', { scope: 'tenant' }));
    await rig.pass(5);
    await expect.poll(() => one.executor.status().unanswered).toBe(51);
    isHeldUp = false;
    for (const letGo of waiting) letGo();
    await rig.pass(150);
    expect(steps.filter((step) => /^before trips?$/.test(step)).length).toBeLessThan(10);
    expect(rig.stops().indexOf('acme')).toBeLessThan(40);
    expect([rig.position(), rig.records().filter((record) => record.endsWith('flip')).length]).toEqual([51, 51]);
    expect(one.executor.status()).toMatchObject({ backlog: 0, unanswered: 0 });
  });

  test('has each stop that the store will never take found, and no other is lost by it', async () => {
    await rig.start();
    let isRefused = true;
    rig.onStep = (_, step) => {
      if (step !== 'before trips' || !isRefused) return undefined;
      isRefused = false;
      return Promise.reject(new KilldrillError('FLIP_UNREADABLE', 'one of them'));
    };
    for (const name of ['a', 'b', 'c', 'd']) rig.publish(stopOf(name));
    await rig.pass(150);
    expect(rig.records()).toEqual(['0 flip', '1 flip', '2 flip', '3 flip']);
  });
});

describe('while the store is away', () => {
  test('stops are enforced, positions stay, poison is kept; then everything is recorded in order', async () => {
    const one = await rig.start();
    rig.isStoreAway = true;
    for (const sent of [stopOf('a'), POISON, stopOf('b'), stopOf('c')]) rig.publish(sent);
    await rig.pass(60);
    expect(enforced(one)).toEqual(['a', 'b', 'c']);
    expect([rig.position(), rig.records(), rig.deadPositions()]).toEqual([0, [], [1]]);
    expect(one.executor.status()).toMatchObject({ backlog: 4, unanswered: 3 });
    rig.publish(stopOf('d'));
    await settled();
    expect(enforced(one)).toContain('d');
    rig.isStoreAway = false;
    await rig.pass(150);
    expect(rig.records()).toEqual(['0 flip', '1 poison', '2 flip', '3 flip', '4 flip']);
    expect([rig.position(), rig.deadPositions()]).toEqual([5, [1]]);
    expect(one.registry.openEngagements().map(({ id }) => one.registry.revisionOf(id))).toEqual([1, 2, 3, 4]);
  });

  test('a stop that may be stale waits for the answer, but not for long', async () => {
    const one = await rig.start();
    let answer = (): void => undefined;
    rig.onStep = (_, step) =>
      step === 'after trip' ? new Promise<void>((resolve) => void (answer = resolve)) : undefined;
    rig.publish(stopOf('acme'));
    await rig.pass(40);
    expect(enforced(one)).toEqual([]);
    await rig.pass(20);
    expect(enforced(one)).toEqual(['acme']);
    answer();
    await settled();
    expect(one.registry.openEngagements().map(({ id }) => one.registry.revisionOf(id))).toEqual([1]);
  });

  test('a stop whose detector has seen every flip that is known here waits for nobody', async () => {
    const one = await rig.start();
    rig.onStep = (_, step) => (step === 'before trip' ? new Promise<void>(() => undefined) : undefined);
    rig.publish(stopOf('acme', { observedRevision: 0 }));
    await settled();
    expect(enforced(one)).toEqual(['acme']);
    rig.onStep = () => undefined;
    await rig.pass(6_000);
  });

  test('an answer that was lost is asked for again, and there is one flip', async () => {
    await rig.start();
    let lost = 0;
    rig.onStep = (_, step) => {
      if (step === 'after trip' && lost++ < 2) throw new Error('cut');
    };
    rig.publish(stopOf('acme'));
    await rig.pass(400);
    expect([rig.records(), rig.stops(), rig.position()]).toEqual([['0 flip'], ['acme'], 1]);
  });

  test('reading starts at what the bus knows, and everything is recorded once', async () => {
    const first = await rig.start();
    for (const target of ['a', 'b']) rig.publish(stopOf(target));
    await settled();
    first.kill();
    rig.topic.at(0).committed = 1;
    rig.publish(stopOf('c'));
    rig.isStoreAway = true;
    const second = await rig.start();
    await rig.pass(60);
    expect(enforced(second)).toEqual(['b', 'c']);
    rig.isStoreAway = false;
    await rig.pass(300);
    expect(rig.records()).toEqual(['0 flip', '1 flip', '2 flip']);
    expect([rig.position(), rig.stops()]).toEqual([3, ['a', 'b', 'c']]);
  });

  test('what was read ahead of the store is read again from its position', async () => {
    rig.isStoreAway = true;
    for (const target of ['a', 'b', 'c']) rig.publish(stopOf(target));
    rig.topic.at(0).committed = 2;
    const one = await rig.start();
    await rig.pass(60);
    expect(enforced(one)).toEqual(['c']);
    rig.isStoreAway = false;
    await rig.pass(500);
    expect(rig.records()).toEqual(['0 flip', '1 flip', '2 flip']);
    expect([rig.position(), rig.stops()]).toEqual([3, ['c', 'a', 'b']]);
    expect(one.errors.map((error) => 'code' in error && error.code)).toContain('ALERT_POSITION');
  });
});

describe('what the bus no longer has', () => {
  test('goes on record before the position passes it, at the start and in the midst', async () => {
    const first = await rig.start();
    rig.publish(stopOf('a'));
    await settled();
    first.kill();
    for (const target of ['b', 'c', 'd']) rig.publish(stopOf(target));
    rig.topic.forget(0, 2);
    await rig.start();
    expect(rig.state.alertPlacings.slice(1)).toMatchObject([
      { from: 1, to: 2, why: expect.stringContaining('before 2') },
    ]);
    expect(rig.records()).toEqual(['0 flip', '2 flip', '3 flip']);
    const { messages } = rig.topic.at(0);
    messages.push(messageOf(stopOf('z'), { position: 9, publishedAtMs: rig.clock.wallMs() }));
    rig.publish(stopOf('y'));
    await settled();
    expect(rig.state.alertPlacings.at(-1)).toMatchObject({ from: 4, to: 9, why: 'the bus has nothing from 4 to 8' });
    expect([rig.position(), rig.stops().slice(-2)]).toEqual([11, ['z', 'y']]);
  });

  test('is the whole topic when it was made anew: reading starts at its beginning', async () => {
    const first = await rig.start();
    for (const target of ['a', 'b', 'c']) rig.publish(stopOf(target));
    await settled();
    first.kill();
    rig.topic.at(0).messages.length = 0;
    rig.clock.advance(1);
    rig.publish(raw({ agent_id: 'x', reason: 'anew' }));
    await rig.start();
    expect(rig.state.alertPlacings.at(-1)).toMatchObject({ from: 3, to: 0, why: expect.stringContaining('made anew') });
    expect([rig.position(), rig.stops().at(-1)]).toEqual([1, 'x']);
  });
});

describe('several executors', () => {
  test('take over from one another, and nothing is lost or done twice', async () => {
    const one = await rig.start();
    const other = await rig.start();
    rig.publish(stopOf('a'));
    await settled();
    one.kill();
    rig.publish(stopOf('b'));
    await settled();
    expect([rig.records(), rig.stops()]).toEqual([
      ['0 flip', '1 flip'],
      ['a', 'b'],
    ]);
    expect(enforced(other)).toEqual(['b']);
  });

  test('are safe when one does not notice that it lost its partition', async () => {
    const one = await rig.start();
    await rig.start();
    let isHeldUp = true;
    const waiting: (() => void)[] = [];
    rig.onStep = (who, step) =>
      who === one && step === 'before trip' && isHeldUp ? new Promise((resolve) => waiting.push(resolve)) : undefined;
    rig.publish(stopOf('a'));
    await settled();
    rig.topic.rebalance('oblivious');
    for (const sent of [POISON, stopOf('b')]) rig.publish(sent);
    await settled();
    expect(rig.position()).toBe(3);
    isHeldUp = false;
    for (const resolve of waiting) resolve();
    await rig.pass(200);
    expect([rig.records(), rig.stops(), rig.position()]).toEqual([['0 flip', '1 poison', '2 flip'], ['a', 'b'], 3]);
  });

  test('work off what they have in hand after they lost their partition', async () => {
    const one = await rig.start();
    const other = await rig.start();
    rig.isStoreAway = true;
    rig.publish(stopOf('a'));
    await rig.pass(60);
    rig.topic.rebalance();
    rig.isStoreAway = false;
    await rig.pass(300);
    expect([rig.records(), rig.stops()]).toEqual([['0 flip'], ['a']]);
    expect([one, other].map(({ executor }) => executor.status().backlog)).toEqual([0, 0]);
  });
});

describe('a crash', () => {
  const LOG = (): readonly Sent[] => [stopOf('a'), POISON, stopOf('b', { observedRevision: 0 }), POISON, stopOf('a')];

  test('between any two steps loses nothing and does nothing twice', async () => {
    const crashedAt: string[] = [];
    for (let crash = 0; crash < 200; crash += 1) {
      const there = (rig = new AlertRig());
      let step = 0;
      there.onStep = (who, name) => {
        if (step++ !== crash) return;
        crashedAt.push(name);
        who.kill();
      };
      for (const sent of LOG()) there.publish(sent);
      const first = await there.start();
      await there.pass(200);
      const second = await there.start();
      await there.pass(300);
      expect(there.records(), `crash at step ${crash}`).toEqual([
        '0 flip',
        '1 poison',
        '2 flip',
        '3 poison',
        '4 duplicate',
      ]);
      expect([there.position(), there.stops()], `crash at step ${crash}`).toEqual([5, ['a', 'b']]);
      expect(new Set(there.deadPositions()), `crash at step ${crash}`).toEqual(new Set([1, 3]));
      const isOver = !first.isKilled && !second.isKilled;
      await there.close();
      if (isOver) break;
    }
    for (const name of ['trip', 'refuse', 'deadLetter', 'commit', 'position', 'place', 'join', 'range']) {
      expect(crashedAt, name).toEqual(expect.arrayContaining([`before ${name}`, `after ${name}`]));
    }
    expect(crashedAt.length).toBeLessThan(200);
  });
});

describe('the watchdog', () => {
  test('ends a session that shows no life, and joins anew', async () => {
    const one = await rig.start();
    const [before] = rig.topic.members;
    expect(before).toBeDefined();
    await rig.pass(2_900);
    expect(rig.topic.members).toEqual([before]);
    await rig.pass(1_500);
    expect(one.errors.map((error) => 'code' in error && error.code)).toContain('BUS_SILENT');
    expect(rig.topic.members).toHaveLength(1);
    expect(rig.topic.members[0]).not.toBe(before);
    rig.publish(stopOf('acme'));
    await settled();
    expect(rig.stops()).toEqual(['acme']);
  });

  test('joins again until the bus is there', async () => {
    rig.isBusAway = true;
    const one = await rig.start();
    rig.publish(stopOf('acme'));
    await rig.pass(350);
    expect([one.executor.status().isReading, one.errors.length > 2]).toEqual([false, true]);
    rig.isBusAway = false;
    await rig.pass(150);
    expect(rig.stops()).toEqual(['acme']);
  });
});

describe('the backlog', () => {
  test('that is full makes the bus wait, which is no silence: nothing is read twice, however long the store is away', async () => {
    rig.isStoreAway = true;
    for (let number = 0; number < 100; number += 1) rig.publish(stopOf(`t${number}`));
    const one = await rig.start({ maxBacklog: 60 });
    await rig.pass(10_000);
    expect(one.executor.status().backlog).toBe(100);
    expect(one.errors.map((error) => 'code' in error && error.code)).not.toContain('BUS_SILENT');
    rig.isStoreAway = false;
    await rig.pass(1_000);
    expect([rig.position(), rig.stops().length, one.executor.status().backlog]).toEqual([100, 100, 0]);
  });

  test('is bounded: the bus has to wait, and goes on afterwards', async () => {
    rig.isStoreAway = true;
    for (let number = 0; number < 200; number += 1) rig.publish(stopOf(`t${number}`));
    const one = await rig.start({ maxBacklog: 60 });
    await rig.pass(100);
    expect(one.executor.status().backlog).toBe(100);
    rig.isStoreAway = false;
    await rig.pass(1_000);
    expect([rig.position(), rig.stops().length, one.executor.status().backlog]).toEqual([200, 200, 0]);
  });
});

function fail(): never {
  throw new Error('no key');
}

function flipOf(target: string) {
  const { scope, mode, reason, raisedAt } = sampleAlert();
  return { namespace: NAMESPACE, kind: 'stop', scope, target, mode, queue: 'discard', reason, at: raisedAt };
}
