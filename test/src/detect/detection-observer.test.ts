import { beforeEach, describe, expect, it } from 'vitest';
import { EffectFailedError } from '../../../src/call.ts';
import { readDetectors } from '../../../src/detect/config.ts';
import { Detection } from '../../../src/detect/detection.ts';
import { DetectionObserver, FAILED_EFFECTS } from '../../../src/detect/detection-observer.ts';
import { fingerprint } from '../../../src/detect/fingerprint.ts';
import type { AlertDraft } from '../../../src/detect/alert-draft.ts';
import type { Effect } from '../../../src/effect.ts';
import { GateRig, LOOKUP, MAIL } from '../gate-rig.ts';
import { settled } from '../manual-clock.ts';

const RUN = { run: 'r1', agent: 'a1', tenant: 'acme', feature: 'chat' };
const RULES = [
  { kind: 'write-rate', per: 'tenant', windowMs: 1_000, perSecond: 5 },
  { kind: 'loop', per: 'run', windowMs: 60_000, times: 3 },
  { kind: 'cost', per: 'run', windowMs: 60_000, amount: 2 },
  { kind: 'guardrail', per: 'agent', metric: FAILED_EFFECTS, windowMs: 60_000, minReadings: 4, redFrom: 0.5 },
];

let drafts: AlertDraft[];
let observer: DetectionObserver;
let rig: GateRig;
beforeEach(() => {
  drafts = [];
  const port = { raise: async (draft: AlertDraft) => void drafts.push(draft) };
  const config = readDetectors({ detector: 'fleet', rules: RULES }, 'the test');
  // A clock of its own: what a gate's clock says is the gate's business.
  const clock = { monotonicMs: () => 0, wallMs: () => 0, after: () => () => undefined };
  observer = new DetectionObserver(new Detection(config, port, clock));
  rig = new GateRig(observer);
});

async function send(effect: Effect, call: () => Promise<unknown> = () => Promise.resolve()): Promise<void> {
  await rig.gate.enter(RUN, () => rig.gate.run(effect, call)).catch(() => undefined);
  await settled();
}

const metrics = () => drafts.map(({ evidence }) => evidence.metric);

describe('detectors that a gate feeds', () => {
  it('are red at the very write that is one too many, before it has ended', async () => {
    for (let n = 0; n < 4; n += 1) await send(MAIL);
    expect(drafts).toEqual([]);
    void send(MAIL, () => new Promise(() => undefined));
    await settled();
    expect(drafts).toMatchObject([{ scope: 'tenant', target: 'acme', evidence: { value: 5, threshold: 5 } }]);
  });

  it('count no read as a write, and nothing that was refused', async () => {
    for (let n = 0; n < 9; n += 1) await send(LOOKUP);
    rig.stop({ scope: 'tenant', target: 'acme' });
    for (let n = 0; n < 9; n += 1) await send(MAIL);
    expect(drafts).toEqual([]);
    expect(observer.refusals).toEqual({ operator: 9, unverified: 0 });
  });

  it('see a loop by the arguments that the agent tells the gate of', async () => {
    const lookup = (name: string): Effect => ({ ...LOOKUP, fingerprint: fingerprint({ name }) });
    for (const name of ['ada', 'bob', 'ada', 'cyd']) await send(lookup(name));
    expect(drafts).toEqual([]);
    await send(lookup('ada'));
    expect(drafts).toMatchObject([{ scope: 'run', target: 'r1', evidence: { metric: 'loop-per-run', value: 3 } }]);
  });

  it('have a reading for each effect that landed or was refused by its downstream, and none for one that nobody knows of', async () => {
    const failing = () => Promise.reject(new EffectFailedError('no such customer'));
    const unknown = () => Promise.reject(new Error('connection reset'));
    for (const call of [failing, failing, unknown, () => Promise.resolve()]) await send(LOOKUP, call);
    expect(drafts).toEqual([]);
    await send(LOOKUP, failing);
    expect(drafts).toMatchObject([{ scope: 'agent', target: 'a1', evidence: { metric: FAILED_EFFECTS, value: 0.75 } }]);
  });

  it('are told what a run spends and how its guardrails read, by the run itself', async () => {
    rig.gate.enter(RUN, () => {
      observer.spent(1.5);
      observer.reading('toxicity', 0.9); // no rule asks for it
      observer.spent(0.5);
    });
    expect(metrics()).toEqual(['cost-per-run']);
    expect(() => observer.spent(1)).toThrow(expect.objectContaining({ code: 'NO_RUN' }));
    expect(() => rig.gate.enter(RUN, () => observer.spent(Number.NaN))).toThrow(
      expect.objectContaining({ code: 'OBSERVATION_INVALID' }),
    );
  });
});
