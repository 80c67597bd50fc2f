import type { Clock } from '../clock.ts';
import { KilldrillError, messageOf } from '../errors.ts';
import { canonicalText } from '../flip-text.ts';
import type { EffectivenessStore, FleetFacts, RegisteredWorker } from '../store/effectiveness-port.ts';
import type { FlipStore } from '../store/store.ts';
import type { Flip } from '../switch.ts';
import { CANARY, CANARY_SOURCE } from './canary-check.ts';
import { goneWorkers, isGone, shortPools } from './present-workers.ts';

export interface CanaryParts {
  readonly namespace: string;
  readonly flips: Pick<FlipStore, 'flip'>;
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
  /** Ends the wait for the workers; the canary is released all the same. */
  readonly signal?: AbortSignal;
}

/** How long workers have to refuse a canary unless told otherwise, milliseconds. */
export const CANARY_WITHIN_MS = 5_000;

/** What one round has shown. */
export interface CanaryResult {
  /** Where the canary was stopped. */
  readonly revision: number;
  /** Workers whose own gate refused the canary for this stop. */
  readonly refused: readonly string[];
  /** Workers that report, and have not said so in time. */
  readonly silent: readonly string[];
  /** Workers on the list of which nobody has heard for several leases: their gates refuse everything since, or they are no more. */
  readonly gone: readonly string[];
  /** Pools of the declared inventory that have not all their workers, a clause each: who should be there has refused nothing. */
  readonly short: readonly string[];
  /** Its release; null when somebody else had released it, and with `releaseError`: then its switch stays stopped, which stops nobody else. */
  readonly releasedAt: number | null;
  readonly releaseError: string | null;
}

const LOOK_MS = 50;

/**
 * One round of the canary: stops the reserved switch, waits until each worker's gate has refused it, and releases it. What
 * is proven goes the whole way of a stop, from its taker to the gate, and stops nobody.
 *
 * @throws as `FlipStore.flip` when the stop is not taken; `CANARY_UNSEEN` when the store never said who refused it.
 */
export async function flyCanary(parts: CanaryParts): Promise<CanaryResult> {
  const { flips, clock, newId, signal } = parts;
  const id = newId();
  const stop = { ...common(parts, id), kind: 'stop', mode: 'halt_all', queue: 'park' } as const;
  const taken = await flips.flip(...signed(parts, stop));
  const { revision } = taken.record;
  const untilMs = clock.monotonicMs() + (parts.withinMs ?? CANARY_WITHIN_MS);
  let standing = await lookAround(parts, revision);
  while (signal?.aborted !== true && isOpen(standing) && clock.monotonicMs() < untilMs) {
    await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
    standing = (await lookAround(parts, revision)) ?? standing;
  }
  const released = await releaseCanaries(parts, [id]).then(
    (releasedAt) => ({ releasedAt, releaseError: null }),
    (error: unknown) => ({ releasedAt: null, releaseError: messageOf(error) }),
  );
  if (standing === null) throw unseen(revision);
  return { revision, ...standing, ...released };
}

function unseen(revision: number): KilldrillError {
  const sentence = `the store took a canary at revision ${revision}, and did not say afterwards which workers have refused it`;
  return new KilldrillError('CANARY_UNSEEN', sentence);
}

/**
 * Releases canaries; answers at which revision, null when somebody else had released one of them before.
 *
 * @throws as `FlipStore.flip`
 */
export async function releaseCanaries(parts: CanaryParts, engagements: readonly string[]): Promise<number | null> {
  const release = { ...common(parts, parts.newId()), kind: 'release', engagements } as const;
  try {
    const released = await parts.flips.flip(...signed(parts, release), { evenIfRed: 'a canary stops nobody' });
    return released.record.revision;
  } catch (error) {
    if (error instanceof KilldrillError && error.code === 'ENGAGEMENT_NOT_OPEN') return null;
    throw error;
  }
}

type Standing = Pick<CanaryResult, 'refused' | 'silent' | 'gone' | 'short'>;

/** Whether there is still somebody to wait for. */
function isOpen(standing: Standing | null): boolean {
  return standing === null || standing.silent.length > 0;
}

/** Null when the store does not answer. */
async function lookAround({ fleet }: CanaryParts, revision: number): Promise<Standing | null> {
  const facts = await fleet.fleet().catch(() => null);
  if (facts === null) return null;
  const hasRefused = ({ canary }: RegisteredWorker): boolean => (canary?.revision ?? 0) >= revision;
  const names = (isOf: (one: RegisteredWorker) => boolean): readonly string[] =>
    facts.workers.filter(isOf).map(({ worker }) => worker);
  return {
    refused: names(hasRefused),
    silent: names((one) => !hasRefused(one) && !isGone(one)),
    gone: goneWorkers(facts.workers),
    short: shortPools(facts),
  };
}

function common({ namespace, clock, by }: CanaryParts, id: string) {
  const at = new Date(clock.wallMs()).toISOString();
  return { namespace, id, ...CANARY, reason: 'canary', triggeredBy: by, source: CANARY_SOURCE, at } as const;
}

function signed({ sign }: CanaryParts, flip: Flip): readonly [string, string | null] {
  const text = canonicalText(flip);
  return [text, sign === null ? null : sign(text)];
}

/** Whether a round has proven that a stop reaches every worker which is there, and that all are there who should be. */
export function isProof({ refused, silent, short }: CanaryResult): boolean {
  return refused.length > 0 && silent.length === 0 && short.length === 0;
}

/**
 * How long ago every worker that is there had last refused a canary, milliseconds; null while one of them never has, while
 * a pool of the declared inventory has not all its workers, and for no worker.
 */
export function lastProvenMs(facts: Pick<FleetFacts, 'workers' | 'inventory'>): number | null {
  const there = facts.workers.filter((one) => !isGone(one));
  if (there.length === 0 || shortPools(facts).length > 0) return null;
  const oldest = Math.max(...there.map(({ canary }) => canary?.agoMs ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(oldest) ? oldest : null;
}
