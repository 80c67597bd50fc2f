import { KilldrillError } from '../../src/errors.ts';
import { LIMITS } from '../scenario/limits.ts';
import type { TimelineEntry } from '../scenario/scenario.ts';
import type { Findings } from './finding.ts';
import type { IncidentClock } from './incident-clock.ts';
import type { Mapping } from './mapping-schema.ts';
import type { AlertRecord, FlipRecord } from './records.ts';
import type { Redactor } from './redact.ts';

/** A flip of the incident that the drill repeats. */
export interface KeptFlip extends FlipRecord {
  /** When it was asked for: by its alert if there is one. */
  readonly askedMs: number;
  readonly byAlert: boolean;
}

/** An alert that its stop followed within this asked for it. */
const ALERT_MS = 600_000;

/**
 * The flips that a drill can repeat, in order of time.
 *
 * @throws KilldrillError `INCIDENT_EMPTY` when none of them is a stop, `INCIDENT_TOO_LONG` for too many
 */
export function keepFlips(
  flips: readonly FlipRecord[],
  alerts: ReadonlyMap<string, AlertRecord>,
  findings: Findings,
): readonly KeptFlip[] {
  const ids = new Set<string>();
  const stopped = new Map<string, string>();
  const kept: KeptFlip[] = [];
  let twice = 0;
  for (const flip of flips.toSorted((one, other) => one.atMs - other.atMs)) {
    if (ids.has(flip.id)) {
      twice += 1;
      continue;
    }
    ids.add(flip.id);
    const on = `${flip.scope}:${flip.target}`;
    if (flip.kind === 'release' && !stopped.delete(on)) {
      findings.add(
        'left out',
        `the release '${flip.id}' of ${flip.scope}: no stop of that switch is on record before it`,
      );
      continue;
    }
    if (flip.kind === 'stop') stopped.set(on, flip.id);
    kept.push(asked(flip, alerts));
  }
  findings.count('left out', twice, 'flips whose id came before: the same flip on record again');
  for (const id of stopped.values()) {
    findings.add(
      'not reconstructed',
      `how the stop '${id}' ended: no release of it is on record, so the drill ends while it is on`,
    );
  }
  if (!kept.some(({ kind }) => kind === 'stop')) {
    throw new KilldrillError(
      'INCIDENT_EMPTY',
      'found no stop among the flips, expected at least one: there is nothing to drill',
    );
  }
  if (kept.length > LIMITS.timelineEntries.max) {
    const sentence = `found ${kept.length} flips, expected at most ${LIMITS.timelineEntries.max}, which is all that a scenario may have`;
    throw new KilldrillError('INCIDENT_TOO_LONG', `${sentence}; give a file of those that matter`);
  }
  // What comes before the first stop is a release of nothing, so that this is in order.
  return kept.toSorted((one, other) => one.askedMs - other.askedMs);
}

function asked(flip: FlipRecord, alerts: ReadonlyMap<string, AlertRecord>): KeptFlip {
  const alert = flip.alert === null ? undefined : alerts.get(flip.alert);
  const isCause = alert !== undefined && alert.atMs <= flip.atMs && flip.atMs - alert.atMs <= ALERT_MS;
  const canAsk = flip.kind === 'stop' && flip.mode !== 'emergency';
  if (!isCause || !canAsk) return { ...flip, askedMs: flip.atMs, byAlert: false };
  return { ...flip, askedMs: alert.atMs, byAlert: true };
}

/** The flips as entries of a timeline, each at its moment of the drill. */
export function timelineOf(
  flips: readonly KeptFlip[],
  clock: IncidentClock,
  redactor: Redactor,
  queue: Mapping['queue'],
): readonly TimelineEntry[] {
  return flips.map((flip): TimelineEntry => {
    const offsetMs = Math.round(clock.drillMs(flip.askedMs) ?? 0);
    if (offsetMs > LIMITS.offsetMs.max) {
      const sentence = `found a flip ${Math.round(offsetMs / 1_000)} s after the drill's start, expected at most ${LIMITS.offsetMs.max / 1_000} s`;
      throw new KilldrillError('INCIDENT_TOO_LONG', `${sentence}; lower window.longestGap in the mapping`);
    }
    const when = { kind: 'start', offsetMs } as const;
    const { scope, mode } = flip;
    const on = { when, scope, target: targetOf(flip, redactor) };
    const reason = redactor.reason(flip.reason) ?? `as in the incident`;
    if (flip.kind === 'release') return { kind: 'release', ...on, expect: 'taken', via: 'postgres', reason };
    const via = flip.byAlert ? 'alert' : 'postgres';
    const how = {
      mode,
      queue,
      drainMs: null,
      via,
      runawayPerSecond: null,
      wait: true,
      effectiveWithinMs: null,
    } as const;
    return { kind: 'flip', ...on, ...how, reason };
  });
}

function targetOf({ scope, target }: FlipRecord, redactor: Redactor): string {
  if (scope === 'global') return target;
  return scope === 'capability' ? redactor.capability(target) : redactor.name(scope, target);
}
