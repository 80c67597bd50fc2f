import { alertsMeaning, viaMeaning } from './alert-meaning.ts';
import type { Complaint } from './complaint.ts';
import { faultMeaning } from './fault-meaning.ts';
import type { DrilledFleet } from './fault-meaning.ts';
import type { KnownNames } from './known-names.ts';
import { namedMeaning, targetMeaning } from './target-meaning.ts';
import type { ReadEntry } from './timeline-schema.ts';

type Of<K extends string> = Extract<ReadEntry, Readonly<Record<K, unknown>>>;

/** What is wrong within one entry; paths are relative to it. */
export function entryMeaning(entry: ReadEntry, fleet: DrilledFleet, known: KnownNames): readonly Complaint[] {
  return [...momentMeaning(entry, known), ...deedMeaning(entry, fleet, known)];
}

function deedMeaning(entry: ReadEntry, fleet: DrilledFleet, known: KnownNames): readonly Complaint[] {
  if ('fault' in entry) return faultMeaning(entry.fault, fleet);
  if ('resume' in entry) return resumeMeaning(entry.resume, known);
  if ('contract' in entry) return [];
  if ('alerts' in entry) return alertsMeaning(entry.alerts, fleet);
  if ('release' in entry) return targetMeaning(['release', 'target'], entry.release.scope, entry.release.target, known);
  if ('forge' in entry) return targetMeaning(['forge', 'target'], entry.forge.scope, entry.forge.target, known);
  if ('compensate' in entry) {
    return targetMeaning(['compensate', 'target'], entry.compensate.scope, entry.compensate.target, known);
  }
  return [
    ...targetMeaning(['flip', 'target'], entry.flip.scope, entry.flip.target, known),
    ...drainMeaning(entry.flip),
    ...waitMeaning(entry.flip),
    ...viaMeaning(entry.flip, fleet),
  ];
}

const MOMENT_KEYS = ['at', 'when', 'after'] as const;

function momentMeaning(entry: ReadEntry, known: KnownNames): readonly Complaint[] {
  const { after } = entry;
  const named =
    after?.kind === 'effect' && after.scope !== 'global'
      ? namedMeaning(['after'], after.scope, after.target, known)
      : [];
  const given = MOMENT_KEYS.filter((key) => entry[key] !== undefined);
  const second = given[1];
  if (second === undefined) return named;
  const found = given.join(' and ');
  return [
    { path: [second], aboutKey: true, found, expected: 'at most one of them', fix: 'remove all but one' },
    ...named,
  ];
}

function drainMeaning({ queue, mode, drainFor }: Of<'flip'>['flip']): readonly Complaint[] {
  const path = ['flip', 'drainFor'];
  if (queue !== 'drain') {
    if (drainFor === undefined) return [];
    const [found, expected] = [`a time to drain with queue: ${queue}`, 'drainFor with queue: drain only'];
    return [{ path, aboutKey: true, found, expected, fix: 'remove it, or write queue: drain' }];
  }
  const complaints: Complaint[] = [];
  if (mode === 'emergency') {
    const expected = 'queue: discard or queue: park, since an emergency lets nothing pass';
    const fix = 'write another queue, or mode: halt_all';
    complaints.push({ path: ['flip', 'queue'], found: "'drain' in mode emergency", expected, fix });
  }
  if (drainFor === undefined) {
    const expected = 'how long admitted work may pass';
    complaints.push({ path, found: 'nothing', expected, fix: 'add it, for example drainFor: 5s' });
  }
  return complaints;
}

function waitMeaning({ wait, waitFor }: Of<'flip'>['flip']): readonly Complaint[] {
  if (wait === 'effective' || waitFor === undefined) return [];
  const [found, expected] = ['a time to wait with wait: durable', 'waitFor with wait: effective only'];
  const fix = 'remove it, or write wait: effective';
  return [{ path: ['flip', 'waitFor'], aboutKey: true, found, expected, fix }];
}

function resumeMeaning(resume: Of<'resume'>['resume'], known: KnownNames): readonly Complaint[] {
  const { tenant, runs = [] } = resume;
  return [
    ...oneOfKeys(resume, ['tenant', 'runs', 'all'], 'write for example tenant: $busiest'),
    ...(resume.rate === undefined || resume.tenantsEvery === undefined
      ? []
      : oneOfKeys(resume, ['rate', 'tenantsEvery'], '')),
    ...(tenant === undefined ? [] : namedMeaning(['resume', 'tenant'], 'tenant', tenant, known)),
    ...runs.flatMap((run, index) => {
      const path = ['resume', 'runs', index];
      return runs.indexOf(run) === index ? namedMeaning(path, 'run', run, known) : [secondTime(path, run)];
    }),
  ];
}

function secondTime(path: Complaint['path'], run: string): Complaint {
  return { path, found: `'${run}' once more`, expected: 'each run once', fix: 'remove it' };
}

/** Exactly one of these keys has to be there. */
function oneOfKeys(
  resume: Of<'resume'>['resume'],
  keys: readonly (keyof typeof resume)[],
  fix: string,
): readonly Complaint[] {
  const given = keys.filter((key) => resume[key] !== undefined);
  const expected = `exactly one of ${keys.join(', ')}`;
  const second = given[1];
  if (second !== undefined) {
    const path = ['resume', second];
    return [{ path, aboutKey: true, found: given.join(' and '), expected, fix: 'remove all but one' }];
  }
  return given.length === 1 ? [] : [{ path: ['resume'], found: 'none of them', expected, fix }];
}
