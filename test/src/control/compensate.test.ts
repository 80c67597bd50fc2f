import { describe, expect, it } from 'vitest';
import { EffectFailedError } from '../../../src/call.ts';
import { compensate } from '../../../src/control/compensate.ts';
import type { CompensateOptions, Compensated, CompensationCall } from '../../../src/control/compensate.ts';
import { KilldrillError } from '../../../src/errors.ts';
import type { Compensation, OperatorStore, OutcomeKind } from '../../../src/store/store.ts';
import { ManualClock } from '../manual-clock.ts';

const ENTRY = { incarnation: 'w1-1', seq: 7 };
const ASKER = { by: 'op', reason: 'paid twice' };

/** A store with one ledger entry, which keeps what it is told. */
class OneEntry {
  issued: Compensation | null = null;
  readonly closed: (readonly [OutcomeKind, string | null])[] = [];
  isAway = false;

  readonly port: Pick<OperatorStore, 'admitCompensation' | 'closeCompensation'> = {
    admitCompensation: async (_, capability, asker) => {
      const isNew = this.issued === null;
      this.issued ??= { id: 'c-1', capability, ...asker, outcome: null };
      return { compensation: this.issued, isNew };
    },
    closeCompensation: async (_, outcome, detail) => {
      if (this.isAway) throw new KilldrillError('STORE_UNREACHABLE', 'nobody answers');
      this.closed.push([outcome, detail]);
      if (this.issued !== null) this.issued = { ...this.issued, outcome };
    },
  };

  compensate(call: CompensationCall, options: Partial<CompensateOptions> = {}): Promise<Compensated> {
    const given = { capability: 'write/refund', deadlineMs: 1_000, clock: new ManualClock(), ...options };
    return compensate(this.port as OperatorStore, ENTRY, given, ASKER, call);
  }
}

const lands: CompensationCall = async () => 'done';
const neverAsked: CompensationCall = async () => expect.fail('it was sent a second time');

describe('a compensation', () => {
  it('is on record before it is sent under its own id, and with its outcome after it', async () => {
    const store = new OneEntry();
    const answer = await store.compensate(async ({ idempotencyKey, signal }) => {
      expect(store.issued).toMatchObject({ id: idempotencyKey, outcome: null, ...ASKER });
      expect(signal.aborted).toBe(false);
    });
    expect(answer).toMatchObject({ isNew: true, sent: true, compensation: { id: 'c-1', outcome: 'landed' } });
    expect(store.closed).toEqual([['landed', null]]);
  });

  it('is sent once, whatever became of it', async () => {
    for (const call of [lands, async () => Promise.reject(new Error('reset'))] as const) {
      const store = new OneEntry();
      const { compensation } = await store.compensate(call);
      expect(await store.compensate(neverAsked)).toEqual({ compensation, isNew: false, sent: false });
      expect(store.closed).toHaveLength(1);
    }
  });

  it('is sent again under the same id when nobody knows of it and its downstream is idempotent', async () => {
    const store = new OneEntry();
    await store.compensate(async () => Promise.reject(new Error('reset')));
    const again = await store.compensate(lands, { idempotent: true });
    expect(again).toMatchObject({ isNew: false, sent: true, compensation: { id: 'c-1', outcome: 'landed' } });
    expect(await store.compensate(neverAsked, { idempotent: true })).toMatchObject({ sent: false });
  });

  it('is not sent again by a call of another capability than the one on record', async () => {
    const store = new OneEntry();
    await store.compensate(async () => Promise.reject(new Error('reset')));
    const other = store.compensate(neverAsked, { idempotent: true, capability: 'write/mail' });
    await expect(other).rejects.toMatchObject({
      code: 'COMPENSATION_INVALID',
      message: expect.stringMatching(/c-1 was issued as write\/refund, not write\/mail/) as string,
    });
  });

  const ends: readonly (readonly [what: string, call: CompensationCall, outcome: OutcomeKind, detail: RegExp])[] = [
    ['the downstream said no', () => Promise.reject(new EffectFailedError('no such order')), 'failed', /no such order/],
    ['the connection broke', () => Promise.reject(new Error('reset')), 'unknown', /reset/],
    [
      'it threw at once',
      () => {
        throw new Error('at once');
      },
      'unknown',
      /at once/,
    ],
  ];
  it.each(ends)('is closed by what became of it: %s', async (_, call, outcome, detail) => {
    const store = new OneEntry();
    expect((await store.compensate(call)).compensation.outcome).toBe(outcome);
    expect(store.closed).toEqual([[outcome, expect.stringMatching(detail)]]);
  });

  it('is closed also when what was thrown has no words', async () => {
    const store = new OneEntry();
    const wordless: unknown = Object.create(null);
    expect((await store.compensate(() => Promise.reject(wordless as Error))).compensation.outcome).toBe('unknown');
  });

  it.each([0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])(
    'is refused, and not on record, with a deadline of %s ms',
    async (deadlineMs) => {
      const store = new OneEntry();
      await expect(store.compensate(neverAsked, { deadlineMs })).rejects.toMatchObject({
        code: 'COMPENSATION_INVALID',
      });
      expect(store.issued).toBeNull();
    },
  );

  it('that does not answer in time is aborted and unknown, and its late answer changes nothing', async () => {
    const store = new OneEntry();
    const clock = new ManualClock();
    let land = (): void => undefined;
    let begun = (): void => undefined;
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    let aborted = false;
    const answer = store.compensate(
      ({ signal }) => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        begun();
        return new Promise<void>((resolve) => {
          land = resolve;
        });
      },
      { clock, deadlineMs: 500 },
    );
    await started;
    clock.advance(500);
    expect((await answer).compensation.outcome).toBe('unknown');
    expect(aborted).toBe(true);
    land();
    await Promise.resolve();
    expect(store.closed).toEqual([['unknown', 'the compensation did not answer within 500 ms']]);
  });

  it('whose outcome the store did not take says what became of it', async () => {
    const store = new OneEntry();
    store.isAway = true;
    await expect(store.compensate(lands)).rejects.toMatchObject({
      code: 'COMPENSATION_UNRECORDED',
      message: expect.stringMatching(/^compensation c-1 was sent and is landed, .*nobody answers/) as string,
    });
  });
});
