import { beforeEach, describe, expect, test } from 'vitest';
import { verifyAudit } from '../../../src/control/verify-audit.ts';
import { vouchForHead } from '../../../src/control/vouch-for-head.ts';
import { chainHash } from '../../../src/flip-chain.ts';
import { signHead } from '../../../src/head-signature.ts';
import { MemoryState } from '../../../src/store/memory-state.ts';
import type { StoredFlip } from '../../../src/store/memory-state.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { newKeys } from '../flip-keys.ts';
import { releaseText, stopText } from '../store/samples.ts';

const namespace = 'fleet';
const { keys, releaser, stopper, stranger } = newKeys();

let state: MemoryState;
let store: MemoryStore;

/** Nine flips, the head signed at the ninth: stops e1 to e6, of which e1, e2 and e3 are released in between. */
beforeEach(async () => {
  state = new MemoryState({ namespace, newId: () => 'epoch' });
  store = new MemoryStore(state);
  for (const id of ['e1', 'e2', 'e3']) await stop(id);
  for (const id of ['e1', 'e2', 'e3']) await release([id]);
  for (const id of ['e4', 'e5', 'e6']) await stop(id);
  await vouchForHead({ store: store.audit(), namespace, keys, sign: releaser.sign });
});

async function stop(id: string, sign: ((text: string) => string) | null = stopper.sign): Promise<void> {
  const text = stopText(namespace, { id });
  await store.flip(text, sign?.(text) ?? null);
}

async function release(ids: readonly string[], sign: ((text: string) => string) | null = releaser.sign): Promise<void> {
  const text = releaseText(namespace, ids);
  await store.flip(text, sign?.(text) ?? null);
}

async function faults() {
  const { findings } = await verifyAudit(store.audit(), { namespace, keys });
  return findings.map(({ fault, revision }) => `${fault} ${revision}`);
}

function edit(revision: number, change: (flip: StoredFlip) => StoredFlip): void {
  const flip = state.flips[revision - 1];
  if (flip === undefined) throw new Error(`there is no revision ${revision}`);
  state.flips[revision - 1] = change(flip);
}

describe('the audit of a record', () => {
  test('finds nothing wrong with one that nobody has touched', async () => {
    expect(await verifyAudit(store.audit(), { namespace, keys })).toEqual({
      ...{ flips: 9, unsigned: 0, proven: 9, signedThrough: 9, findings: [], moreFindings: 0 },
    });
  });

  test('finds a text that was altered, and says which', async () => {
    edit(5, (flip) => ({ ...flip, record: { ...flip.record, text: flip.record.text.replace('rolled', 'rolling') } }));
    expect(await faults()).toContain('altered 5');
  });

  test('finds a record that was altered with its hash', async () => {
    edit(5, (flip) => {
      const { record } = flip;
      const text = record.text.replace('rolled', 'rolling');
      const previous = state.flips[3]?.record.hash ?? '';
      return { ...flip, record: { ...record, text, hash: chainHash(previous, record.epoch, 5, text) } };
    });
    const found = await faults();
    expect(found).toContain('altered 6');
    expect(found.some((fault) => fault.endsWith(' 5') || fault.endsWith(' 6'))).toBe(true);
  });

  test('finds a chain that was made anew from some record on, by the signed head', async () => {
    let previous = state.flips[3]?.record.hash ?? '';
    for (let revision = 5; revision <= 9; revision += 1) {
      edit(revision, (flip) => {
        const text = revision === 8 ? flip.record.text.replace('asked for', 'wanted') : flip.record.text;
        previous = chainHash(previous, flip.record.epoch, revision, text);
        return { ...flip, record: { ...flip.record, text, hash: previous } };
      });
    }
    expect(await faults()).toEqual(['unproven 8', 'altered 9']);
  });

  test('finds a record that was removed', async () => {
    const audit = store.audit();
    const page: typeof audit.page = async (after, limit) => {
      const answer = await audit.page(after, limit);
      return { ...answer, flips: answer.flips.filter(({ revision }) => revision !== 4) };
    };
    const { findings } = await verifyAudit({ ...audit, page }, { namespace, keys });
    expect(findings.map(({ fault, revision, id }) => [fault, revision, id])).toEqual([
      ['removed', 4, null],
      ['altered', null, 'e1'],
    ]);
  });

  test('finds an end that is missing, by the signed head', async () => {
    state.flips.splice(7, 2);
    expect(await faults()).toContain('truncated 8');
  });

  test('finds records that have changed places', async () => {
    const [seventh, eighth] = [state.flips[6], state.flips[7]];
    if (seventh === undefined || eighth === undefined) throw new Error('the record is shorter than thought');
    state.flips[6] = { ...eighth, record: { ...eighth.record, revision: 7 } };
    state.flips[7] = { ...seventh, record: { ...seventh.record, revision: 8 } };
    const audit = store.audit();
    const page: typeof audit.page = async (after, limit) => {
      const answer = await audit.page(after, limit);
      const previous = [state.flips[7]?.record.hash ?? '', state.flips[5]?.record.hash ?? ''];
      return {
        ...answer,
        flips: answer.flips.map((flip) => ({
          ...flip,
          previousHash: previous[flip.revision - 7] ?? flip.previousHash,
        })),
      };
    };
    const { findings } = await verifyAudit({ ...audit, page }, { namespace, keys });
    expect(findings).toContainEqual(expect.objectContaining({ fault: 'reordered', revision: 7 }));
    expect(findings).toContainEqual(expect.objectContaining({ fault: 'reordered', revision: 8 }));
  });

  test('finds an engagement that the store takes for closed though nobody released it', async () => {
    const engagement = state.flips[6]?.engagement;
    if (engagement === null || engagement === undefined) throw new Error('revision 7 is no stop');
    engagement.closedRevision = 9;
    const { findings } = await verifyAudit(store.audit(), { namespace, keys });
    expect(findings).toMatchObject([{ fault: 'altered', id: 'e4' }]);
  });

  test('finds a release that nobody who may release has signed, and signatures that are none', async () => {
    await release(['e4'], null);
    await release(['e5'], stopper.sign);
    await stop('e7', stranger.sign);
    await stop('e8', null);
    await store.audit().signHead({ ...(await store.load()).head, signature: 'junk' });
    expect(await faults()).toEqual(['unproven 10', 'unproven 11', 'unproven 12', 'unproven 13']);
  });

  test('takes a flip for proven by any of the signatures that came with it', async () => {
    const text = stopText(namespace, { id: 'e9' });
    await store.relay(text, 'junk');
    expect(await faults()).toEqual(['unproven 10']);
    await store.relay(text, stopper.sign(text));
    expect(await faults()).toEqual([]);
  });

  test('takes unsigned releases of before a signed head as vouched for', async () => {
    await release(['e4'], null);
    await store.audit().signHead(signHead(namespace, (await store.load()).head, releaser.sign));
    expect(await verifyAudit(store.audit(), { namespace, keys })).toMatchObject({ unsigned: 1, findings: [] });
  });

  test('judges hashes alone where no keys are told', async () => {
    await release(['e4'], null);
    expect(await verifyAudit(store.audit(), { namespace, keys: null })).toMatchObject({ proven: 0, findings: [] });
  });
});

describe('who vouches for a head', () => {
  test('signs none over a release that nobody has signed', async () => {
    await release(['e4'], null);
    const vouched = await vouchForHead({ store: store.audit(), namespace, keys, sign: releaser.sign });
    expect(vouched).toEqual({ kind: 'disputed', engagements: ['e4'] });
    const text = releaseText(namespace, ['e4']);
    await store.flip(text, releaser.sign(text), { again: true });
    expect(await vouchForHead({ store: store.audit(), namespace, keys, sign: releaser.sign })).toMatchObject({
      kind: 'signed',
      head: { revision: 11 },
    });
  });

  test('has nothing to sign before the first flip', async () => {
    const empty = new MemoryStore(new MemoryState({ namespace }));
    expect(await vouchForHead({ store: empty.audit(), namespace, keys, sign: releaser.sign })).toEqual({
      kind: 'empty',
    });
  });
});
