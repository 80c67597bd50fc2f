import { DEFAULT_LEASE } from '../../src/lease.ts';
import type { Finding } from './checker.ts';
import { fail } from './finding.ts';
import type { DrillIndex } from './index-of.ts';
import { NS_PER_MS, toMs } from './span.ts';

/**
 * What a store admitted before it had been up for long enough to have been told of the stops that were taken while it was
 * away (DESIGN §3.6), by the store's own clock; null for nothing, also where no life of it is on record.
 */
export function admittedYoung(index: DrillIndex): Finding | null {
  const { storeAgeMs } = DEFAULT_LEASE;
  const lives = index.record.events.filter(({ type }) => type === 'store.life').map(({ t0 }) => t0);
  for (const bornNs of lives) {
    const early = index.intents.filter(({ t0 }) => t0 >= bornNs && t0 < bornNs + storeAgeMs * NS_PER_MS);
    const [first] = early;
    if (first === undefined) continue;
    const ageMs = Math.round(toMs(first.t0 - bornNs));
    const what = `intent ${first.intent} (${first.capability} of run ${first.run})`;
    return fail(
      `${what} was admitted by a store that had been up for ${ageMs} ms; it may not before ${storeAgeMs} ms`,
      {
        intent: first.intent,
        incarnation: first.incarnation,
        run: first.run,
        capability: first.capability,
        key: first.key,
        ageMs,
        intents: early.length,
      },
    );
  }
  return null;
}
