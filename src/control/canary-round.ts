import { KilldrillError } from '../errors.ts';
import type { CanaryTurn, CanaryTurns } from '../store/canary-port.ts';
import type { FlipStore, OpenEngagement } from '../store/store.ts';
import { engagementOf } from '../flip-text.ts';
import { Engagements } from '../switch.ts';
import { CANARY_WITHIN_MS, flyCanary, releaseCanaries } from './canary.ts';
import type { CanaryParts, CanaryResult } from './canary.ts';
import { CANARY, CANARY_CAPABILITY, CANARY_SOURCE } from './canary-check.ts';

export interface RoundParts extends CanaryParts {
  readonly flips: Pick<FlipStore, 'flip' | 'openEngagements'>;
  readonly turns: CanaryTurns;
  /** How long the store may take for its part of a round, beyond what workers have, milliseconds. Default 10,000. */
  readonly storeMs?: number;
}

const STORE_MS = 10_000;

/** What became of a round. */
export type CanaryRound =
  | { readonly kind: 'flown'; readonly result: CanaryResult; readonly tookMs: number }
  /** No canary was flown: another stop covers its switch, so that no gate would name the canary. */
  | { readonly kind: 'covered'; readonly by: readonly string[] }
  | Exclude<CanaryTurn, { readonly kind: 'mine' }>;

/**
 * One round of the canary, when nobody else flies one and none was flown within `everyMs`. First it releases what a round
 * that was cut off has left open: of two canaries on the switch, gates name the older one.
 *
 * @throws as the store does; `CANARY_LATE` when the store took so long that the turn could be another's by now.
 */
export async function canaryRound(parts: RoundParts, everyMs: number): Promise<CanaryRound> {
  const { turns, clock, newId, by, storeMs = STORE_MS } = parts;
  const token = newId();
  const askedMs = clock.monotonicMs();
  const turn = await turns.take({ token, by, termMs: termOf(parts), everyMs });
  if (turn.kind !== 'mine') return turn;
  try {
    const left = await parts.flips.openEngagements();
    const cutOff = left.filter(isCanary);
    if (cutOff.length > 0)
      await releaseCanaries(
        parts,
        cutOff.map(({ flip }) => flip.id),
      );
    const covering = coveringStops(left.filter((one) => !isCanary(one)));
    if (covering.length > 0) return { kind: 'covered', by: covering };
    const beginMs = clock.monotonicMs();
    if (beginMs - askedMs > storeMs / 2) throw late(beginMs - askedMs);
    const result = await flyCanary(parts);
    return { kind: 'flown', result, tookMs: clock.monotonicMs() - beginMs };
  } finally {
    await turns.end(token).catch(() => undefined); // then it ends by itself
  }
}

/** How long a turn lasts at most, milliseconds: what is open for longer was left there. */
export function termOf({ withinMs = CANARY_WITHIN_MS, storeMs = STORE_MS }: RoundParts): number {
  return withinMs + storeMs;
}

/** Whether a round that was cut off may have left something open: such canaries are to be released soon. */
export async function hasLeftCanary(flips: Pick<FlipStore, 'openEngagements'>): Promise<boolean> {
  return (await flips.openEngagements()).some(isCanary);
}

/** Only who has the turn opens one, so that what is open when a turn begins was left there. */
function isCanary({ flip }: OpenEngagement): boolean {
  return flip.source === CANARY_SOURCE && flip.scope === CANARY.scope && flip.target === CANARY.target;
}

/** Ids of stops that a gate would name for the canary's own call, before a canary that is opened now. */
function coveringStops(open: readonly OpenEngagement[]): readonly string[] {
  const engagements = new Engagements();
  for (const { flip } of open) if (flip.kind === 'stop') engagements.open(engagementOf(flip));
  const subject = {
    ...{ tenant: null, feature: null, agent: CANARY.target, run: CANARY.target, lineage: [] },
    capability: CANARY_CAPABILITY,
  };
  const ids: string[] = [];
  engagements.visitMatching(subject, ({ id, mode }) => {
    // A milder mode is not named beside the canary's own.
    if (mode !== 'halt_noncritical') ids.push(id);
  });
  return ids;
}

function late(ms: number): KilldrillError {
  const sentence = `the store took ${Math.round(ms)} ms until a canary could be flown; none was, since the turn may be another's by now`;
  return new KilldrillError('CANARY_LATE', sentence);
}
