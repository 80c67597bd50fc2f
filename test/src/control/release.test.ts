import { describe, expect, it } from 'vitest';
import { engagementsOn, release } from '../../../src/control/release.ts';
import type { ReleaseCheck } from '../../../src/control/release.ts';
import { parseFlip } from '../../../src/flip-text.ts';
import type { FlipOptions, FlipStore, OpenEngagement } from '../../../src/store/store.ts';
import type { Flip, StopFlip } from '../../../src/switch.ts';
import { ManualClock } from '../manual-clock.ts';

function open(id: string, parts: Partial<StopFlip> = {}): OpenEngagement {
  const flip: StopFlip = {
    ...{ namespace: 'n', id, kind: 'stop', scope: 'tenant', target: 'acme', mode: 'halt_all', queue: 'discard' },
    ...{ reason: 'r', triggeredBy: 'op', source: 'test', at: '2026-01-01T00:00:00Z' },
    ...parts,
  };
  return { revision: 1, flip };
}

const OPEN = [open('a'), open('b'), open('c', { target: 'other' }), open('d', { scope: 'feature' })];

/** A store in which these are open, and that keeps what it is given. */
class Control {
  readonly taken: { readonly flip: Flip; readonly options: FlipOptions | undefined }[] = [];
  readonly port: FlipStore = {
    openEngagements: async () => OPEN,
    flip: async (text, signature, options) => {
      this.taken.push({ flip: parseFlip(text), options });
      const head = { epoch: 'e', revision: 5, hash: 'h' };
      return { head, ageMs: 1, record: { ...head, text, signature } };
    },
  };

  release(
    engagements: readonly string[],
    checks: readonly ReleaseCheck[] = [],
    evenIfRed?: string,
    clock = new ManualClock(),
  ) {
    const request = { namespace: 'n', engagements, by: 'op', source: 'test', reason: 'mended' };
    return release(
      { store: this.port, newId: () => 'new', checks, clock },
      evenIfRed === undefined ? request : { ...request, evenIfRed },
    );
  }
}

const check = (name: string, answer: ReleaseCheck['check']): ReleaseCheck => ({ name, check: answer });
const green = check('cost', async () => null);

describe('the engagements on a switch', () => {
  it('are those on exactly this one', () => {
    const ids = (found: readonly OpenEngagement[]) => found.map(({ flip }) => flip.id);
    expect(ids(engagementsOn(OPEN, { scope: 'tenant', target: 'acme' }))).toEqual(['a', 'b']);
    expect(ids(engagementsOn(OPEN, { scope: 'tenant', target: 'acm' }))).toEqual([]);
  });
});

describe('checks of switches', () => {
  it('are asked for each switch that is to be released, once', async () => {
    const store = new Control().port;
    const asked: unknown[] = [];
    const checks = (releasing: readonly unknown[]) => (asked.push(...releasing), [check('rate', async () => 'is red')]);
    const request = { namespace: 'n', engagements: ['a', 'b', 'd'], by: 'op', source: 'test', reason: 'mended' };
    await expect(release({ store, newId: () => 'new', checks }, request)).rejects.toThrow('rate is red');
    expect(asked).toEqual([
      { scope: 'tenant', target: 'acme' },
      { scope: 'feature', target: 'acme' },
    ]);
  });
});

describe('a release', () => {
  it('is one flip that names each engagement once, on their switch', async () => {
    const control = new Control();
    const { closed, red } = await control.release(['a', 'b', 'a'], [green]);
    expect(closed.map(({ flip }) => flip.id)).toEqual(['a', 'b']);
    expect(red).toEqual([]);
    expect(control.taken).toEqual([
      {
        flip: {
          ...{ namespace: 'n', id: 'new', kind: 'release', scope: 'tenant', target: 'acme', engagements: ['a', 'b'] },
          ...{ reason: 'mended', triggeredBy: 'op', source: 'test', at: expect.stringMatching(/Z$/) as string },
        },
        options: {},
      },
    ]);
  });

  it('of several switches, or of what is not open, is still one flip: all or none', async () => {
    for (const ids of [['a', 'c'], ['nobody'], ['a', 'nobody', 'd']]) {
      const control = new Control();
      await control.release(ids);
      expect(control.taken).toMatchObject([{ flip: { scope: 'global', target: '*', engagements: ids } }]);
    }
  });

  it('is refused while a check is red, names all that are, and asks the store for nothing', async () => {
    const control = new Control();
    const checks = [
      green,
      check('write rate', async () => 'is 40/s, above 10/s'),
      check('guardrail', async () => Promise.reject(new Error('no answer'))),
      check('junk', () => {
        throw new Error('at once');
      }),
    ];
    await expect(control.release(['a'], checks)).rejects.toMatchObject({
      code: 'RELEASE_NOT_GREEN',
      message:
        'the release is red: write rate is 40/s, above 10/s; guardrail failed: no answer; junk failed: at once; mend that, or release even if red, with a reason',
    });
    await expect(control.release(['a'], checks, '  ')).rejects.toMatchObject({ code: 'RELEASE_NOT_GREEN' });
    expect(control.taken).toEqual([]);
  });

  it('says once what several checks say alike', async () => {
    const control = new Control();
    const same = async (): Promise<string> => 'is high';
    const { red } = await control.release(['a'], [check('cost', same), check('cost', same)], 'all of them insist');
    expect(red).toEqual(['cost is high']);
  });

  it('goes through a red check with a reason, which it hands to the store', async () => {
    const control = new Control();
    const { red } = await control.release(['a'], [check('cost', async () => 'is high')], 'the customer insists');
    expect(red).toEqual(['cost is high']);
    expect(control.taken).toMatchObject([{ options: { evenIfRed: 'the customer insists' } }]);
  });

  it('is red when a check is late, and tells the check to give up', async () => {
    const control = new Control();
    const clock = new ManualClock();
    let given: AbortSignal | null = null;
    let begun = (): void => undefined;
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const never = check('slow', (signal) => {
      given = signal;
      begun();
      return new Promise(() => undefined);
    });
    const answer = control.release(['a'], [never], undefined, clock);
    const refused = expect(answer).rejects.toThrow(/slow did not answer within 2000 ms/);
    await started;
    clock.advance(2_000);
    await refused;
    expect((given as AbortSignal | null)?.aborted).toBe(true);
  });
});
