import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { canonicalText } from '../flip-text.ts';
import type { EffectivenessStore, FleetFacts } from '../store/effectiveness-port.ts';
import type { FlipStore } from '../store/store.ts';
import type { Flip } from '../switch.ts';
import { CANARY } from './canary-check.ts';

export interface CanaryParts {
  readonly namespace: string;
  readonly flips: Pick<FlipStore, 'flip' | 'openEngagements'>;
  readonly fleet: Pick<EffectivenessStore, 'fleet'>;
  readonly clock: Clock;
  /** Makes ids that are unique for ever. */
  readonly newId: () => string;
  /** Who goes on record as the taker. */
  readonly by: string;
  /** Signs a flip's canonical text, base64 Ed25519; null for unsigned flips. */
  readonly sign: ((text: string) => string) | null;
  /** How long the workers have to refuse it, milliseconds. Default 5,000. */
  readonly withinMs?: number;
}

/** What one round has shown. */
export interface CanaryResult {
  /** Where the canary was stopped. */
  readonly revision: number;
  /** Workers whose own gate refused the canary for this stop. */
  readonly refused: readonly string[];
  /** Workers that have not said so in time. */
  readonly silent: readonly string[];
  /** Its release; null with `releaseError`: then the canary's switch stays stopped, which stops nobody else. */
  readonly releasedAt: number | null;
  readonly releaseError: string | null;
}

const LOOK_MS = 50;
/** A canary that is older than this, milliseconds, is of a round that was killed. */
const FORGOTTEN_MS = 60_000;

/**
 * One round of the canary: stops the reserved switch, waits until each worker's gate has refused it, and releases it. What
 * is proven goes the whole way of a stop, from its taker to the gate, and stops nobody.
 *
 * @throws as `FlipStore.flip` when the stop is not taken.
 */
export async function flyCanary(parts: CanaryParts): Promise<CanaryResult> {
  const { flips, clock, newId } = parts;
  await releaseForgotten(parts);
  const id = newId();
  const stop = { ...common(parts, id), kind: 'stop', mode: 'halt_all', queue: 'park' } as const;
  const taken = await flips.flip(...signed(parts, stop));
  const { revision } = taken.record;
  const untilMs = clock.monotonicMs() + (parts.withinMs ?? 5_000);
  let standing = await lookAround(parts, revision);
  while ((standing === null || standing.silent.length > 0) && clock.monotonicMs() < untilMs) {
    await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
    standing = (await lookAround(parts, revision)) ?? standing;
  }
  const release = { ...common(parts, newId()), kind: 'release', engagements: [id] } as const;
  const { refused, silent } = standing ?? { refused: [], silent: [] };
  try {
    const released = await flips.flip(...signed(parts, release), { evenIfRed: 'a canary stops nobody' });
    return { revision, refused, silent, releasedAt: released.record.revision, releaseError: null };
  } catch (error) {
    return { revision, refused, silent, releasedAt: null, releaseError: messageOf(error) };
  }
}

/**
 * Of two stops on the canary's switch a gate names the older one, so that one which was left open would keep every later
 * round from being proven. Where it cannot be released, the round itself shows that.
 */
async function releaseForgotten(parts: CanaryParts): Promise<void> {
  const { flips, clock, newId } = parts;
  const before = clock.wallMs() - FORGOTTEN_MS;
  try {
    const engagements = (await flips.openEngagements())
      .filter(
        ({ flip }) => flip.scope === CANARY.scope && flip.target === CANARY.target && Date.parse(flip.at) < before,
      )
      .map(({ flip }) => flip.id);
    if (engagements.length === 0) return;
    const release = { ...common(parts, newId()), kind: 'release', engagements } as const;
    await flips.flip(...signed(parts, release), { evenIfRed: 'a canary stops nobody' });
  } catch {
    // Somebody else may have released it just now.
  }
}

/** Null when the store does not answer. */
async function lookAround(
  { fleet }: CanaryParts,
  revision: number,
): Promise<Pick<CanaryResult, 'refused' | 'silent'> | null> {
  const facts = await fleet.fleet().catch(() => null);
  if (facts === null) return null;
  const hasRefused = ({ canary }: FleetFacts['workers'][number]): boolean => (canary?.revision ?? 0) >= revision;
  return {
    refused: facts.workers.filter(hasRefused).map(({ worker }) => worker),
    silent: facts.workers.filter((one) => !hasRefused(one)).map(({ worker }) => worker),
  };
}

function common({ namespace, clock, by }: CanaryParts, id: string) {
  const at = new Date(clock.wallMs()).toISOString();
  return { namespace, id, ...CANARY, reason: 'canary', triggeredBy: by, source: 'canary', at } as const;
}

function signed({ sign }: CanaryParts, flip: Flip): readonly [string, string | null] {
  const text = canonicalText(flip);
  return [text, sign === null ? null : sign(text)];
}

/** How long ago every worker on the list had last refused a canary; null while one of them never has, and for no worker. */
export function lastProvenMs({ workers }: Pick<FleetFacts, 'workers'>): number | null {
  if (workers.length === 0) return null;
  const agesMs = workers.map(({ canary }) => canary?.agoMs ?? Number.POSITIVE_INFINITY);
  const oldest = Math.max(...agesMs);
  return Number.isFinite(oldest) ? oldest : null;
}
