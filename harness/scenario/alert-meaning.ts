import { isByAlert } from './by-alert.ts';
import { GLOBAL_TARGET } from '../../src/switch.ts';
import type { Complaint } from './complaint.ts';
import { detectorMeaning } from './detector-meaning.ts';
import type { DrilledFleet } from './fault-meaning.ts';
import type { ReadEntry } from './timeline-schema.ts';

type Of<K extends string> = Extract<ReadEntry, Readonly<Record<K, unknown>>>;

/** What is wrong with one entry that puts alerts on the bus; paths are relative to it. */
export function alertsMeaning(
  { count, targets, poison, again, stale }: Of<'alerts'>['alerts'],
  fleet: DrilledFleet,
): readonly Complaint[] {
  const path = ['alerts'];
  if (count + poison + stale === 0) {
    const expected = 'at least one of count, poison and stale';
    return [{ path, found: 'no alert at all', expected, fix: 'write for example count: 100' }];
  }
  const complaints = [...nobodyReads(path, fleet)];
  if (again > count) {
    const expected = `at most ${count}, the count of sound ones`;
    complaints.push({ path: ['alerts', 'again'], found: String(again), expected, fix: 'lower it, or raise count' });
  }
  if (targets > Math.max(1, count)) {
    const expected = `at most ${Math.max(1, count)}, the count of sound ones`;
    complaints.push({ path: ['alerts', 'targets'], found: String(targets), expected, fix: 'lower it, or raise count' });
  }
  return complaints;
}

/** What is wrong with a stop that an alert asks for; paths are relative to its entry. */
export function viaMeaning(flip: Of<'flip'>['flip'], fleet: DrilledFleet): readonly Complaint[] {
  const { via, queue, drainFor } = flip;
  if (via === 'detector') return [...nobodyReads(['flip', 'via'], fleet), ...detectorMeaning(flip, fleet)];
  if (flip.runaway !== undefined) {
    const expected = 'via: detector, whose detectors have to notice it';
    const fix = 'write via: detector, or remove it';
    return [{ path: ['flip', 'runaway'], aboutKey: true, found: `a runaway via: ${via}`, expected, fix }];
  }
  if (via !== 'alert') return [];
  if (queue === 'drain' || drainFor !== undefined) {
    const expected = 'queue: discard or queue: park, which is all that an executor can be told to do';
    return [{ path: ['flip', 'queue'], found: "'drain' via: alert", expected, fix: 'write another queue' }];
  }
  return nobodyReads(['flip', 'via'], fleet);
}

function nobodyReads(path: Complaint['path'], { executors, simulated }: DrilledFleet): Complaint[] {
  if (executors !== 0 || !simulated) return [];
  const expected = 'an executor in the fleet: nobody else reads alerts';
  return [
    { path, found: 'an alert with fleet.executors: 0', expected, fix: 'write for example fleet: { executors: 1 }' },
  ];
}

/** What is wrong with how alerts follow each other; paths are of the scenario. */
export function alertOrderMeaning(entries: readonly ReadEntry[]): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const stopped = new Set<string>();
  let queue: string | null = null;
  let isReleased = false;
  for (const [index, entry] of entries.entries()) {
    if ('flip' in entry && isByAlert(entry.flip.via)) {
      if (entry.flip.via === 'alert') stopped.add(nameOf(entry.flip));
      if (queue !== null && queue !== entry.flip.queue) {
        const expected = `'${queue}', as in the alert before: executors are told one policy for all`;
        const fix = 'write the same queue in both';
        complaints.push({ path: ['timeline', index, 'flip', 'queue'], found: `'${entry.flip.queue}'`, expected, fix });
      }
      queue ??= entry.flip.queue;
    }
    if ('release' in entry && entry.release.expect === 'taken') isReleased ||= stopped.has(nameOf(entry.release));
    if ('alerts' in entry && entry.alerts.stale > 0 && !isReleased) {
      const expected = 'a flip via: alert before, and its release';
      const fix = 'move it behind them, or write stale: 0';
      complaints.push({
        path: ['timeline', index, 'alerts', 'stale'],
        found: 'alerts that nothing made stale',
        expected,
        fix,
      });
    }
  }
  return complaints;
}

function nameOf({
  scope,
  target = GLOBAL_TARGET,
}: {
  readonly scope: string;
  readonly target?: string | undefined;
}): string {
  return `${scope}:${target}`;
}
