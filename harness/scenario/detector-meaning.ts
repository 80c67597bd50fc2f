import type { Complaint } from './complaint.ts';
import type { DrilledFleet } from './fault-meaning.ts';
import type { ReadEntry } from './timeline-schema.ts';

type Of<K extends string> = Extract<ReadEntry, Readonly<Record<K, unknown>>>;

/** What is wrong with a stop that the fleet's own detectors are to ask for; paths are relative to its entry. */
export function detectorMeaning(flip: Of<'flip'>['flip'], { detects }: DrilledFleet): readonly Complaint[] {
  const { scope, mode, queue, runaway, reason } = flip;
  const complaints: Complaint[] = [];
  const say = (key: string, found: string, expected: string, fix: string, aboutKey?: true): void => {
    complaints.push({ path: ['flip', key], found, expected, fix, ...(aboutKey === undefined ? {} : { aboutKey }) });
  };
  if (detects === null) {
    const fix = 'write for example fleet: { detectors: { writeRate: { per: tenant, perSecond: 40 } } }';
    say('via', "'detector' without fleet.detectors", 'detectors in the fleet: nobody else would notice', fix);
  } else if (detects !== undefined && scope !== detects) {
    say('scope', `'${scope}'`, `'${detects}', which is what fleet.detectors asks for`, `write scope: ${detects}`);
  }
  if (mode !== 'halt_all')
    say('mode', `'${mode}' via: detector`, 'halt_all, the mode of detectors', 'write mode: halt_all');
  if (queue !== 'discard') {
    const expected = 'queue: discard: parked work would run away again at the release';
    say('queue', `'${queue}' via: detector`, expected, 'write queue: discard');
  }
  if (runaway === undefined) {
    say(
      'runaway',
      'nothing',
      'what the detectors are to notice, in writes a second',
      'add it, for example runaway: 400/s',
    );
  }
  if (reason !== undefined) {
    const expected = 'none: the detector that asks for the stop gives its own';
    say('reason', 'a reason via: detector', expected, 'remove it', true);
  }
  return complaints;
}

/** What a detector stopped would run away again if it came back as it was; paths are of the scenario. */
export function runawayComesBack(entries: readonly ReadEntry[]): readonly Complaint[] {
  const first = entries.findIndex((entry) => 'flip' in entry && entry.flip.via === 'detector');
  if (first < 0) return [];
  return entries.flatMap((entry, index): readonly Complaint[] => {
    if (index < first || !('resume' in entry) || entry.resume.runs !== undefined) return [];
    const expected = 'resume of named runs: a runaway that a detector stopped would come back with the rest';
    return [
      {
        path: ['timeline', index, 'resume'],
        found: 'a resume of all',
        expected,
        fix: 'write for example runs: [$primedRun]',
      },
    ];
  });
}
