import { describe, expect, it } from 'vitest';
import type { AlertDraft } from '../../../src/detect/alert-draft.ts';
import { readDetectors } from '../../../src/detect/config.ts';
import { Detection } from '../../../src/detect/detection.ts';
import type { Observation } from '../../../src/detect/observation.ts';
import { ManualClock, settled } from '../manual-clock.ts';

const WHO = { tenant: 'acme', feature: 'inbox', agent: 'agent-1', run: 'run-1' };
const write = (more: Partial<Extract<Observation, { kind: 'effect' }>> = {}): Observation => ({
  ...{ ...WHO, kind: 'effect', capability: 'write/mail', access: 'write', fingerprint: null, ...more },
});

const RATE = { kind: 'write-rate', per: 'tenant', windowMs: 1_000, perSecond: 5 };

function rig(rules: readonly unknown[] = [RATE], more: object = {}) {
  const clock = new ManualClock();
  const raised: AlertDraft[] = [];
  const port = { fails: false, answers: true };
  const config = readDetectors({ detector: 'watch', rules, ...more }, 'a test');
  const raise = (draft: AlertDraft): Promise<void> => {
    raised.push(draft);
    if (port.fails) return Promise.reject(new Error('no bus'));
    return port.answers ? Promise.resolve() : new Promise(() => undefined);
  };
  const detection = new Detection(config, { raise }, clock);
  const times = (count: number, observation: Observation): void => {
    for (let nth = 0; nth < count; nth += 1) detection.observe(observation);
  };
  return { clock, detection, raised, port, times };
}

describe('a write-rate detector', () => {
  it('asks for a stop of the tenant, with what it measured', () => {
    const { raised, times } = rig();
    times(4, write());
    expect(raised).toEqual([]);
    times(1, write());
    expect(raised).toEqual([
      {
        detector: 'watch',
        scope: 'tenant',
        target: 'acme',
        mode: 'halt_all',
        reason: 'tenant acme writes 5 times a second over 1 s; 5 is too often',
        evidence: { metric: 'write-rate-per-tenant', value: 5, threshold: 5 },
      },
    ]);
  });

  it('counts neither reads nor what has no tenant, and each tenant by itself', () => {
    const { raised, times } = rig();
    times(50, write({ access: 'read' }));
    times(50, write({ tenant: null }));
    for (let nth = 0; nth < 20; nth += 1) times(4, write({ tenant: `tenant-${nth}` }));
    expect(raised).toEqual([]);
  });

  it('counts each capability by itself where it is told to, and only those that it is told of', () => {
    const { raised, times } = rig([{ ...RATE, eachCapability: true, capabilities: ['write/*'] }]);
    for (const capability of ['write/mail', 'write/crm', 'undo/mail']) times(4, write({ capability }));
    times(10, write({ capability: 'undo/mail' }));
    expect(raised).toEqual([]);
    times(1, write({ capability: 'write/crm' }));
    expect(raised.map(({ target, reason }) => [target, reason.slice(0, 23)])).toEqual([
      ['acme', 'tenant acme (write/crm)'],
    ]);
  });
});

describe('other detectors', () => {
  it('stop a run, and a tenant, for what they cost', () => {
    const rules = [
      { kind: 'cost', per: 'run', windowMs: 60_000, amount: 10 },
      { kind: 'cost', per: 'tenant', windowMs: 60_000, amount: 30 },
    ];
    const { raised, detection } = rig(rules);
    for (let run = 1; run <= 6; run += 1) {
      for (let nth = 0; nth < 2; nth += 1) detection.observe({ ...WHO, run: `run-${run}`, kind: 'cost', amount: 3 });
    }
    expect(raised.map(({ scope, target, evidence }) => [scope, target, evidence.value])).toEqual([
      ['tenant', 'acme', 30],
    ]);
    detection.observe({ ...WHO, kind: 'cost', amount: 4 });
    expect(raised[1]).toMatchObject({ scope: 'run', target: 'run-1', evidence: { value: 10 } });
  });

  it('find a loop by the same call of the same run, and none in different calls', () => {
    const { raised, times } = rig([{ kind: 'loop', per: 'run', windowMs: 60_000, times: 3 }]);
    for (const fingerprint of ['a', 'b', 'c', 'd']) times(2, write({ fingerprint }));
    times(9, write({ fingerprint: null }));
    times(2, write({ fingerprint: 'a', run: 'run-2' }));
    times(2, write({ fingerprint: 'a', capability: 'write/crm' }));
    expect(raised).toEqual([]);
    times(1, write({ fingerprint: 'a', access: 'read' }));
    expect(raised.map(({ scope, target }) => [scope, target])).toEqual([['run', 'run-1']]);
  });

  it('judge a guardrail by enough readings, too low as well as too high', () => {
    const rules = [
      { kind: 'guardrail', per: 'agent', metric: 'toxicity', windowMs: 1_000, minReadings: 3, redFrom: 0.5 },
      { kind: 'guardrail', per: 'agent', metric: 'mark', judge: 'worst', windowMs: 1_000, redTo: 2 },
    ];
    const { raised, detection } = rig(rules);
    const read = (name: string, value: number): void => detection.observe({ ...WHO, kind: 'metric', name, value });
    for (const value of [0.9, 0.9]) read('toxicity', value);
    for (const value of [5, 3, 4]) read('mark', value);
    expect(raised).toEqual([]);
    read('toxicity', 0.1);
    read('mark', 1);
    expect(raised.map(({ evidence }) => [evidence.metric, evidence.threshold])).toEqual([
      ['toxicity', 0.5],
      ['mark', 2],
    ]);
  });
});

describe('detectors are level-triggered', () => {
  it('raise again as long as the metric is red, at most once a repetition, and stop when it is not', () => {
    const { clock, raised, detection, times } = rig();
    const stop = detection.start();
    times(40, write());
    expect(raised).toHaveLength(1);
    // 40 writes in one bucket stay in the window for a second and a bucket at most
    clock.advance(1_050);
    expect(raised).toHaveLength(2);
    clock.advance(10_000);
    expect(raised).toHaveLength(2);
    expect(detection.red()).toEqual([]);
    stop();
    expect(clock.timerCount).toBe(0);
  });

  it('raise at once when it is red anew, however short the pause was', () => {
    const { clock, raised, times, detection } = rig([{ ...RATE, windowMs: 100, perSecond: 50 }], { repeatMs: 60_000 });
    times(5, write());
    clock.block(200);
    detection.look();
    times(5, write());
    expect(raised).toHaveLength(2);
  });

  it('raise what nobody took again, soon, and not at every observation', async () => {
    const { clock, raised, port, detection, times } = rig([RATE], { repeatMs: 60_000 });
    port.fails = true;
    times(100, write());
    await settled();
    times(100, write());
    expect(raised).toHaveLength(1);
    clock.block(100);
    times(1, write());
    await settled();
    port.fails = false;
    clock.block(100);
    detection.look();
    await settled();
    clock.block(300);
    detection.look();
    expect(raised).toHaveLength(3);
    expect(detection.counts.undelivered).toBe(2);
  });

  it('raise again what was never answered', () => {
    const { clock, raised, port, times } = rig([{ ...RATE, windowMs: 10_000, perSecond: 0.1 }]);
    port.answers = false;
    times(1, write());
    clock.block(1_000);
    times(1, write());
    expect(raised).toHaveLength(2);
  });

  it('find one reason enough: each rule raises by itself', () => {
    const { raised, times } = rig([RATE, { kind: 'loop', per: 'run', windowMs: 1_000, times: 5 }]);
    times(5, write({ fingerprint: 'f' }));
    expect(raised.map(({ scope }) => scope)).toEqual(['tenant', 'run']);
  });

  it('keep a release of the same switch red, with the reason, until the metric is green', async () => {
    const { clock, detection, times } = rig();
    times(7, write());
    const check = (target: string) => detection.greenCheck({ scope: 'tenant', target }).check(AbortSignal.abort());
    expect(await check('acme')).toMatch(/tenant acme writes 7 times/);
    expect(await check('other')).toBeNull();
    expect(await detection.greenCheck({ scope: 'agent', target: 'acme' }).check(AbortSignal.abort())).toBeNull();
    clock.block(1_101);
    expect(await check('acme')).toBeNull();
  });
});

describe('detectors are bounded', () => {
  it('hold no more series than they may, keep the busy one, and say what they forgot', () => {
    const { detection, raised, times } = rig([{ kind: 'loop', per: 'run', windowMs: 60_000, times: 50 }], {
      maxSeries: 100,
    });
    for (let nth = 0; nth < 5_000; nth += 1) times(1, write({ fingerprint: `f${nth}` }));
    expect(detection.counts).toMatchObject({ series: 100, forgotten: 4_900 });
    times(50, write({ fingerprint: 'again' }));
    expect(raised).toHaveLength(1);
  });

  it('hold nothing of what has been idle', () => {
    const { clock, detection, times } = rig();
    for (let nth = 0; nth < 500; nth += 1) times(5, write({ tenant: `tenant-${nth}` }));
    expect(detection.counts).toMatchObject({ series: 500, raised: 500 });
    clock.block(1_300);
    detection.look();
    expect(detection.counts).toMatchObject({ series: 0, forgotten: 0 });
    expect(detection.red()).toEqual([]);
  });

  it.each<readonly [string, Observation]>([
    ['a cost that is no number', { ...WHO, kind: 'cost', amount: Number.NaN }],
    ['a cost below zero', { ...WHO, kind: 'cost', amount: -1 }],
    ['an endless reading', { ...WHO, kind: 'metric', name: 'toxicity', value: Number.POSITIVE_INFINITY }],
    ['a target that no switch can have', write({ tenant: 'x'.repeat(2_000) })],
    ['no capability', write({ capability: 'write mail' })],
  ])('refuse %s and go on', (_, observation) => {
    const { detection, raised, times } = rig();
    const invalid = expect.objectContaining({ code: 'OBSERVATION_INVALID' }) as Error;
    expect(() => detection.observe(observation)).toThrow(invalid);
    times(5, write());
    expect(raised).toHaveLength(1);
  });
});
