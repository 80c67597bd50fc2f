import { describe, expect, it } from 'vitest';
import { checkTask } from '../../../src/tasks/check-task.ts';
import { after, at, childTask, timerTask, webhookTask } from '../../../src/tasks/from-run.ts';
import { GateRig } from '../gate-rig.ts';

const PARENT = { run: 'r1', agent: 'a1', tenant: 'acme', feature: 'chat', lineage: ['root'] };

function within<T>(body: () => T): T {
  return new GateRig().gate.enter(PARENT, body);
}

describe('work that a run puts into the queue', () => {
  it('is a webhook of that run, due now', () => {
    const task = within(() => webhookTask({ id: 'r1/3', capability: 'webhook/notify', plan: [1] }));
    expect(task).toEqual({
      ...{ id: 'r1/3', kind: 'webhook', run: 'r1', agent: 'a1', tenant: 'acme', feature: 'chat', lineage: ['root'] },
      ...{ capability: 'webhook/notify', plan: [1], due: { kind: 'now' }, pastDue: 'fire', repeat: null },
    });
    checkTask(task);
  });

  it('is a timer at a time, or after one, that may repeat', () => {
    const once = within(() => timerTask({ id: 't', plan: null, due: at(new Date('2030-01-01T00:00:00Z')) }));
    expect(once).toMatchObject({
      kind: 'timer',
      capability: null,
      due: { kind: 'at', at: '2030-01-01T00:00:00.000Z' },
    });
    const often = within(() =>
      timerTask({ id: 't', plan: null, due: after(5_000), pastDue: 'skip', repeat: 'every 60000' }),
    );
    expect(often).toMatchObject({ due: { kind: 'in', ms: 5_000 }, pastDue: 'skip', repeat: 'every 60000' });
    for (const task of [once, often]) checkTask(task);
    expect(() => at(new Date('never'))).toThrow(/no date/);
  });

  it('is a child that every ancestor’s stop binds', () => {
    const child = within(() => childTask({ run: 'r2', plan: [] }));
    expect(child).toMatchObject({
      id: 'r2',
      kind: 'child',
      run: 'r2',
      agent: 'a1',
      tenant: 'acme',
      lineage: ['root', 'r1'],
    });
    const other = within(() => childTask({ run: 'r2', agent: 'a2', tenant: null, feature: 'mail', plan: [] }));
    expect(other).toMatchObject({ agent: 'a2', tenant: null, feature: 'mail', lineage: ['root', 'r1'] });
    checkTask(child);
  });

  it('needs a run to come from', () => {
    expect(() => childTask({ run: 'r2', plan: [] })).toThrow(expect.objectContaining({ code: 'NO_RUN' }));
  });
});
