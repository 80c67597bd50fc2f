import type { Finding } from './checker.ts';
import { inconclusive } from './finding.ts';
import type { DrillIndex } from './index-of.ts';
import type { Span } from './span.ts';

/**
 * A witness that stood still for more of a stretch than this was on a machine without room for the drill. Seen on 2 cores: at
 * most 4 % at a load of 5 and less; 15 to 21 % with two drills in containers at once, and 35 to 45 % at a load of 9, where
 * sound fleets lost work (docs/decisions/0007).
 */
const BUSY_SHARE = 0.1;

/**
 * What a failure for missing work is worth. The witness's own loop has nothing to do with the fleet: where it stood still for
 * much of the time, the fleet had no processor either, and work that did not come says nothing about stops. Never a pass.
 */
export function unlessBusy(index: DrillIndex, stretches: readonly Span[], finding: Finding): Finding {
  if (finding.verdict !== 'fail') return finding;
  const toNs = Math.max(index.trafficNs, ...stretches.map((stretch) => stretch.toNs));
  // What was held up before the stretch began is late in it as well.
  const share = Math.max(stoodStill(index, stretches), stoodStill(index, [{ fromNs: index.trafficNs, toNs }]));
  if (share <= BUSY_SHARE) return finding;
  const percent = Math.round(share * 100);
  return inconclusive(
    'a machine with room for the drill',
    `the witness itself stood still for ${percent} % of the time, and ${finding.reason}`,
    { ...finding.evidence, stoodStillPercent: percent },
  );
}

/** The share of the stretches in which the witness's loop did not turn. Its lags never overlap. */
function stoodStill({ record }: DrillIndex, stretches: readonly Span[]): number {
  let [stillNs, allNs] = [0, 0];
  for (const { fromNs, toNs } of stretches) {
    allNs += Math.max(0, toNs - fromNs);
    for (const event of record.events) {
      if (event.type !== 'loop.lag') continue;
      stillNs += Math.max(0, Math.min(event.t1, toNs) - Math.max(event.t0, fromNs));
    }
  }
  return allNs === 0 ? 0 : stillNs / allNs;
}
