import { describe, expect, it } from 'vitest';
import { EffectFailedError } from '../../src/call.ts';
import type { Effect } from '../../src/effect.ts';
import { guardedObserver } from '../../src/gate-observer.ts';
import type { GateObserver } from '../../src/gate-observer.ts';
import { Fate } from './fate.ts';
import { GateRig, HeldCall, LOOKUP, MAIL } from './gate-rig.ts';
import { settled } from './manual-clock.ts';

const RUN = { run: 'r1', agent: 'a1', tenant: 'acme', feature: 'chat' };

/** Writes down what it is told. */
class Notes implements GateObserver {
  readonly told: string[] = [];
  readonly sent: GateObserver['sent'] = ({ run, tenant }, { capability }) =>
    void this.told.push(`sent ${capability} of ${run} for ${tenant}`);
  readonly ended: GateObserver['ended'] = (_, { capability }, outcome) =>
    void this.told.push(`${outcome} ${capability}`);
  readonly refused: GateObserver['refused'] = (_, { capability }, { kind }) =>
    void this.told.push(`refused ${capability} by ${kind}`);
}

function send(rig: GateRig, held: HeldCall, effect: Effect = MAIL): Fate {
  return new Fate(rig.gate.enter(RUN, () => rig.gate.run(effect, held.call)));
}

describe('a gate with an observer', () => {
  it('tells it what was sent, once the call has been made, and how it ended', async () => {
    const notes = new Notes();
    const rig = new GateRig(notes);
    const [mail, lookup] = [new HeldCall(), new HeldCall()];
    rig.holding = true;
    send(rig, mail);
    await settled();
    expect(notes.told).toEqual([]); // it waits for its intent
    await rig.letIn();
    send(rig, lookup, LOOKUP);
    await settled();
    mail.resolve('done');
    await settled();
    lookup.reject(new EffectFailedError('not there'));
    await settled();
    expect(notes.told).toEqual([
      'sent write/mail of r1 for acme',
      'sent read/crm of r1 for acme',
      'landed write/mail',
      'failed read/crm',
    ]);
  });

  it('tells it of every refusal, before the intent, behind it, and of a run that is latched, and sends none of them', async () => {
    const notes = new Notes();
    const rig = new GateRig(notes);
    rig.holding = true;
    const [late, early] = [new HeldCall(), new HeldCall()];
    send(rig, late);
    await settled();
    rig.stop({ scope: 'tenant', target: 'acme' });
    await rig.letIn();
    await settled();
    expect(notes.told).toEqual(['refused write/mail by operator']);
    const refusals = rig.gate.enter(RUN, async () => {
      for (let n = 0; n < 3; n += 1) await rig.gate.run(LOOKUP, early.call).catch(() => undefined);
    });
    await refusals;
    expect(notes.told.slice(1)).toEqual([
      'refused read/crm by operator',
      'refused read/crm by operator',
      'refused read/crm by operator',
    ]);
    expect([late.started, early.started]).toEqual([0, 0]);
  });

  it('does not tell it of a check', async () => {
    const notes = new Notes();
    const rig = new GateRig(notes);
    rig.stop({ scope: 'tenant', target: 'acme' });
    expect(rig.gate.enter(RUN, () => rig.gate.bind().refusal())).not.toBe(null);
    await settled();
    expect(notes.told).toEqual([]);
  });
});

describe('an observer that throws', () => {
  const errors: unknown[] = [];
  const broken = (): never => {
    throw new Error('the observer is broken');
  };
  const observer = guardedObserver({ sent: broken, ended: broken, refused: broken }, (error) => errors.push(error));

  it('hurts no effect, and its errors are reported', async () => {
    const rig = new GateRig(observer);
    const held = new HeldCall();
    const fate = send(rig, held);
    await settled();
    held.resolve('done');
    await settled();
    expect(fate.now).toBe('resolved done');
    expect(rig.recorded).toEqual([{ seq: 1, kind: 'landed', detail: null }]);
    rig.stop({ scope: 'tenant', target: 'acme' });
    const refused = send(rig, new HeldCall());
    await settled();
    expect(refused.error).toMatchObject({ name: 'HaltedError' });
    expect(errors.map(String)).toEqual(Array.from({ length: 3 }, () => 'Error: the observer is broken'));
  });
});
