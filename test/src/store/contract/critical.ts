import { describe, expect, test } from 'vitest';
import type { CriticalRules } from '../../../../src/store/store.ts';
import { SOMEBODY } from '../samples.ts';
import type { World } from './world.ts';

const BILLING: CriticalRules = {
  capabilities: ['read/crm', 'write/*'],
  classes: [
    { name: 'billing', scope: 'feature', target: 'billing' },
    { name: 'alarms', scope: 'capability', target: 'webhook/*' },
  ],
};
const MILD = { mode: 'halt_noncritical' } as const;

/** What passes the mildest mode, by the operator's word only. */
export function describeCritical(w: World): void {
  describe('critical work', () => {
    test('of a class passes halt_noncritical, and the rest is parked, never discarded', async () => {
      await w.one.operator.setCritical(BILLING, SOMEBODY);
      await w.enqueue(['pay', { feature: 'billing' }], ['alarm', { capability: 'webhook/page' }], ['chat']);
      await w.stop({ id: 'a', ...MILD, queue: 'discard' });
      await w.sweepAll();
      expect(await w.states()).toEqual({ queued: 2, parked: 1 });
      const claimed = await w.one.tasks.claim('me', 10, 60_000);
      expect(claimed.map(({ id, critical }) => `${id} ${critical}`).toSorted()).toEqual(['alarm true', 'pay true']);
      await w.release('a');
      await w.sweepAll();
      expect((await w.claimOne('chat')).task.critical).toBe(false);
    });

    test('passes no harder mode', async () => {
      await w.one.operator.setCritical(BILLING, SOMEBODY);
      await w.enqueue(['pay', { feature: 'billing' }]);
      await w.stop({ ...MILD, queue: 'park' });
      await w.stop({ id: 'all', mode: 'halt_all', queue: 'park', scope: 'tenant', target: 'acme' });
      expect(await w.claimIds()).toEqual([]);
      await w.release('all');
      await w.sweepAll();
      expect(await w.claimIds()).toEqual(['pay']);
    });

    test('is told when it is let in, by the rules of that time', async () => {
      await w.enqueue(['too early', { feature: 'billing' }]);
      await w.one.operator.setCritical(BILLING, SOMEBODY);
      await w.enqueue(['pay', { feature: 'billing' }]);
      await w.one.operator.setCritical({ capabilities: [], classes: [] }, SOMEBODY);
      await w.enqueue(['too late', { feature: 'billing' }]);
      await w.stop({ ...MILD, queue: 'park' });
      expect(await w.claimIds()).toEqual(['pay']);
    });

    test('alone is let in to run under halt_noncritical; what else comes is parked until its release', async () => {
      await w.one.operator.setCritical(BILLING, SOMEBODY);
      await w.stop({ id: 'a', ...MILD, queue: 'discard' });
      await w.enqueue(['pay', { feature: 'billing' }], ['chat']);
      expect(await w.states()).toEqual({ queued: 1, parked: 1 });
      expect(await w.claimIds()).toEqual(['pay']);
      await w.release('a');
      expect(await w.sweepAll()).toBe(1);
      expect(await w.claimIds()).toEqual(['chat']);
    });

    test('parks a run that the mildest mode met, though its stop says discard', async () => {
      await w.enqueue(['chat']);
      const { claim } = await w.claimOne('chat');
      await w.stop({ id: 'a', ...MILD, queue: 'discard' });
      expect(await w.one.tasks.halted(claim, 'a')).toBe('parked');
    });

    test('is told to every process with the switches', async () => {
      expect((await w.one.flips.load()).critical).toEqual([]);
      await w.one.operator.setCritical(BILLING, SOMEBODY);
      expect((await w.other.flips.load()).critical).toEqual(['read/crm', 'write/*']);
    });

    test.each<[string, CriticalRules]>([
      ['a capability without a name', { capabilities: [''], classes: [] }],
      ['a capability with a star in its middle', { capabilities: ['write/*/mail'], classes: [] }],
      ['a class without a name', { capabilities: [], classes: [{ name: '', scope: 'tenant', target: 'acme' }] }],
      ['a class without a target', { capabilities: [], classes: [{ name: 'a', scope: 'tenant', target: '' }] }],
      ['a global class of somebody', { capabilities: [], classes: [{ name: 'a', scope: 'global', target: 'acme' }] }],
    ])('by rules with %s is refused, and the rules of before stay', async (_, rules) => {
      await w.one.operator.setCritical(BILLING, SOMEBODY);
      await expect(w.one.operator.setCritical(rules, SOMEBODY)).rejects.toMatchObject({
        code: 'CRITICAL_RULES_INVALID',
      });
      expect((await w.other.flips.load()).critical).toEqual(BILLING.capabilities);
    });

    test('by the word of nobody is refused', async () => {
      await expect(w.one.operator.setCritical(BILLING, { by: '', reason: '' })).rejects.toMatchObject({
        code: 'ASKER_INVALID',
      });
      expect((await w.other.flips.load()).critical).toEqual([]);
    });
  });
}
