import { describe, expect, test } from 'vitest';
import type { CompensationTicket, LedgerEntry } from '../../../../src/store/store.ts';
import { SOMEBODY } from '../samples.ts';
import type { World } from './world.ts';

/** What has happened, and how it is made good. */
export function describeLedger(w: World): void {
  const keys = async (afterRevision: number | null = null): Promise<readonly string[]> =>
    (await w.one.operator.ledger(afterRevision)).map(({ idempotencyKey }) => idempotencyKey);
  const landed = async (): Promise<LedgerEntry> => {
    await w.enqueue(['t1']);
    const { claim } = await w.claimOne('t1');
    await w.effect(claim, 't1/0', 'landed');
    const [entry] = await w.one.operator.ledger(null);
    if (entry === undefined) throw new Error('the ledger was to have one entry');
    return entry;
  };
  const compensate = (entry: { incarnation: string; seq: number }, by = 'operator'): Promise<CompensationTicket> =>
    w.one.operator.admitCompensation(entry, 'write/refund', { by, reason: 'sent by mistake' });

  describe('the ledger', () => {
    test('has what landed and what nobody knows, with where it stands to the flips', async () => {
      await w.enqueue(['t1']);
      const { claim } = await w.claimOne('t1');
      await w.effect(claim, 'landed', 'landed');
      await w.effect(claim, 'failed', 'failed');
      await w.stop({ scope: 'tenant', target: 'nobody' });
      await w.effect(claim, 'blocked', 'blocked');
      await w.effect(claim, 'unknown', 'unknown');
      await w.stop({ scope: 'tenant', target: 'nobody' });
      await w.effect(claim, 'open');
      const entries = await w.other.operator.ledger(null);
      expect(
        entries.map(({ idempotencyKey, outcome, afterRevision }) => [idempotencyKey, outcome, afterRevision]),
      ).toEqual([
        ['landed', 'landed', 0],
        ['unknown', 'unknown', 1],
        ['open', 'unknown', 2],
      ]);
      expect(entries[0]).toEqual({
        ...{ incarnation: `me-${w.namespace}`, seq: expect.any(Number), run: 't1', tenant: 'acme', feature: null },
        ...{ agent: 'agent-1', capability: 'write/mail', access: 'write', idempotencyKey: 'landed' },
        ...{ outcome: 'landed', afterRevision: 0, at: expect.any(String), compensation: null },
      });
      expect(await keys(0)).toEqual(['landed', 'unknown', 'open']);
      expect(await keys(1)).toEqual(['unknown', 'open']);
      expect(await keys(2)).toEqual(['open']);
      expect(await keys(3)).toEqual([]);
    });

    test('is empty where nothing happened', async () => {
      expect(await keys()).toEqual([]);
    });
  });

  describe('a compensation', () => {
    test('is issued once for an entry, and asked for again is the same', async () => {
      const entry = await landed();
      const first = await compensate(entry);
      expect(first).toEqual({
        isNew: true,
        compensation: {
          ...{ id: expect.any(String), capability: 'write/refund', by: 'operator' },
          ...{ reason: 'sent by mistake', outcome: null },
        },
      });
      expect(await compensate(entry, 'somebody else')).toEqual({ ...first, isNew: false });
      expect(await w.other.operator.ledger(null)).toMatchObject([{ compensation: first.compensation }]);
    });

    test('asked for by two at once is issued once', async () => {
      const entry = await landed();
      const tickets = await Promise.all([
        compensate(entry),
        w.other.operator.admitCompensation(entry, 'write/refund', SOMEBODY),
      ]);
      expect(tickets.filter(({ isNew }) => isNew)).toHaveLength(1);
      expect(new Set(tickets.map(({ compensation }) => compensation.id)).size).toBe(1);
    });

    test('keeps what became of it', async () => {
      const entry = await landed();
      const { compensation } = await compensate(entry);
      await w.one.operator.closeCompensation(compensation.id, 'unknown', 'no answer');
      await w.one.operator.closeCompensation(compensation.id, 'landed', null);
      await w.one.operator.closeCompensation(compensation.id, 'failed', 'told twice');
      expect(await compensate(entry)).toEqual({ compensation: { ...compensation, outcome: 'landed' }, isNew: false });
      expect(await w.other.operator.ledger(null)).toMatchObject([{ compensation: { outcome: 'landed' } }]);
    });

    test('is allowed while everything is halted', async () => {
      const entry = await landed();
      await w.stop({ mode: 'emergency' });
      expect(await compensate(entry)).toMatchObject({ isNew: true });
    });

    test('of an effect that is not in the ledger is refused', async () => {
      const { incarnation, seq } = await landed();
      await w.enqueue(['t2']);
      const { claim } = await w.claimOne('t2');
      const failed = await w.effect(claim, 't2/0', 'failed');
      const wrong = [
        { incarnation, seq: seq + 1_000 },
        { incarnation: 'nobody', seq },
        { incarnation, seq: failed },
      ];
      for (const entry of wrong) {
        await expect(compensate(entry)).rejects.toMatchObject({ code: 'LEDGER_ENTRY_UNKNOWN' });
      }
      await expect(w.one.operator.closeCompensation('never issued', 'landed', null)).rejects.toMatchObject({
        code: 'COMPENSATION_UNKNOWN',
      });
    });
  });
}
