import { describe, expect, it } from 'vitest';
import { indexOf } from '../../../harness/checkers/index-of.ts';
import { latestStoreNsOf, storeNsOf } from '../../../harness/checkers/store-time.ts';
import { cleanDrill } from './clean-drill.ts';
import { changed, recordOf } from './history-builder.ts';

const LATE_MS = 139;

describe('an instant carried over to the clock of the store', () => {
  it('is known as well as the moment of the first stop is: a slow answer leaves it open', () => {
    const slow = changed(cleanDrill(), (timed) =>
      timed.body.type === 'flip.requested' && timed.body.flip === 1 ? { ...timed, atMs: timed.atMs - LATE_MS } : timed,
    );
    const index = indexOf(recordOf(slow));
    const [stop] = index.stops;
    const openNs = (stop?.durableNs ?? 0) - (stop?.requestNs ?? 0);
    expect(openNs).toBeGreaterThanOrEqual(LATE_MS * 1e6);
    const ns = (stop?.durableNs ?? 0) + 5e9;
    expect((latestStoreNsOf(index, ns) ?? 0) - (storeNsOf(index, ns) ?? 0)).toBe(openNs);
  });
});
