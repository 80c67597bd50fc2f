import { AT } from './clean-drill.ts';
import { plus } from './history-builder.ts';
import type { DraftDrill } from './history-builder.ts';

/** The same on a busy machine: the witness's loop stands still for so much of every 100 ms. */
export function lagging(draft: DraftDrill, stillMs: number): DraftDrill {
  return plus(
    draft,
    ...Array.from({ length: Math.floor(AT.end / 100) }, (_, nth) => ({
      atMs: nth * 100,
      t1Ms: nth * 100 + stillMs,
      body: { type: 'loop.lag', lagMs: stillMs } as const,
    })),
  );
}
