import { GLOBAL_TARGET, capabilityMatches } from '../../src/switch.ts';
import type { Scope } from '../../src/switch.ts';
import type { Complaint } from './complaint.ts';
import { faultMeaning } from './fault-meaning.ts';
import { formatDuration } from './quantity.ts';
import { anchorOf } from './resolve.ts';
import { SELECTORS, isSelector } from './selectors.ts';
import { nearest } from './nearest.ts';
import type { ReadEntry } from './timeline-schema.ts';
import { CAPABILITY_NAMES } from '../traffic/capabilities.ts';

/** What is wrong within one entry; paths are relative to it. */
export function entryMeaning(entry: ReadEntry, workers: number | null): readonly Complaint[] {
  const complaints: Complaint[] = [];
  if (entry.at !== undefined && entry.when !== undefined) {
    const fix = 'remove one of them';
    complaints.push({ path: ['when'], aboutKey: true, found: 'at and when', expected: 'at most one of them', fix });
  }
  if ('fault' in entry) complaints.push(...faultMeaning(entry.fault, workers));
  else if ('flip' in entry) complaints.push(...targetMeaning('flip', entry.flip.scope, entry.flip.target));
  else complaints.push(...targetMeaning('release', entry.release.scope, entry.release.target));
  return complaints;
}

function targetMeaning(kind: 'flip' | 'release', scope: Scope, target: string | undefined): readonly Complaint[] {
  const path = [kind, 'target'];
  if (scope === 'global') {
    if (target === undefined || target === GLOBAL_TARGET) return [];
    const expected = `no target, or '${GLOBAL_TARGET}', for scope global`;
    return [{ path, found: `'${target}'`, expected, fix: 'remove it, or choose a narrower scope' }];
  }
  if (target === undefined) {
    const selector = Object.keys(SELECTORS).find((name) => SELECTORS[name] === scope);
    const expected = `the name of the ${scope} that it is about`;
    return [{ path, found: 'nothing', expected, fix: `add it, for example target: ${selector ?? 'acme'}` }];
  }
  if (isSelector(target)) return selectorMeaning(path, scope, target);
  return scope === 'capability' ? capabilityMeaning(path, target) : [];
}

function selectorMeaning(path: Complaint['path'], scope: Scope, target: string): readonly Complaint[] {
  const of = Object.hasOwn(SELECTORS, target) ? SELECTORS[target] : undefined;
  if (of === scope) return [];
  const found = `'${target}'`;
  if (of !== undefined) {
    return [{ path, found, expected: `a target of scope ${scope}`, fix: `write scope: ${of}, or another target` }];
  }
  const names = Object.keys(SELECTORS);
  const meant = nearest(target, names);
  const fix = meant === null ? 'write one of them, or a name' : `did you mean '${meant}'?`;
  return [{ path, found, expected: `one of the selectors ${names.join(', ')}`, fix }];
}

function capabilityMeaning(path: Complaint['path'], target: string): readonly Complaint[] {
  if (CAPABILITY_NAMES.some((name) => capabilityMatches(target, name))) return [];
  const meant = nearest(target, CAPABILITY_NAMES);
  const expected = `a capability that the traffic uses: ${CAPABILITY_NAMES.join(', ')}, or a pattern such as write/*`;
  const fix = meant === null ? 'write one of them' : `did you mean '${meant}'?`;
  return [{ path, found: `'${target}'`, expected, fix }];
}

/** What is wrong with how the entries follow each other; paths are of the scenario. */
export function timelineMeaning(entries: readonly ReadEntry[]): readonly Complaint[] {
  if (entries.length === 0) return [];
  if (!entries.some((entry) => 'flip' in entry)) {
    const fix = 'add an entry such as { when: exposed, flip: { scope: global, mode: halt_all } }';
    return [
      { path: ['timeline'], found: 'no flip', expected: 'at least one: a drill without a stop proves nothing', fix },
    ];
  }
  return [...anchorMeaning(entries), ...releaseMeaning(entries)];
}

function anchorMeaning(entries: readonly ReadEntry[]): readonly Complaint[] {
  const complaints: Complaint[] = [];
  let flipped = false;
  let latestMs = 0;
  for (const [index, entry] of entries.entries()) {
    const path = ['timeline', index, entry.when === undefined ? 'at' : 'when'];
    const when = anchorOf(entry);
    if (!flipped && (when.kind === 'flip' || when.kind === 'flip-hold')) {
      const fix = 'write for example +1s, or move the entry behind the flip';
      complaints.push({ path, found: 'a time counted from the flip', expected: 'a flip in an entry before', fix });
    }
    if (flipped && when.kind === 'exposed') {
      const expected = 'no flip before: exposed waits for work in scope of the first flip';
      complaints.push({ path, found: "'exposed' after a flip", expected, fix: 'write for example at: +1s' });
    }
    if (when.kind === 'start') {
      if (when.offsetMs < latestMs) {
        const expected = `at least ${formatDuration(latestMs)}, the start of an entry before`;
        complaints.push({
          path,
          found: formatDuration(when.offsetMs),
          expected,
          fix: 'put the entries in order of time',
        });
      }
      latestMs = Math.max(latestMs, when.offsetMs);
    }
    flipped ||= 'flip' in entry;
  }
  return complaints;
}

function releaseMeaning(entries: readonly ReadEntry[]): readonly Complaint[] {
  const open = new Set<string>();
  const released = new Set<string>();
  return entries.flatMap((entry, index): readonly Complaint[] => {
    if ('fault' in entry) return [];
    const { scope, target = GLOBAL_TARGET } = 'flip' in entry ? entry.flip : entry.release;
    const name = `${scope}:${target}`;
    if ('flip' in entry) {
      open.add(name);
      return [];
    }
    if (open.delete(name)) {
      released.add(name);
      return [];
    }
    const found = released.has(name)
      ? `a second release of ${name}`
      : `a release of ${name}, which no entry before stops`;
    const stops = open.size === 0 ? 'no switch is stopped here' : `stopped here: ${[...open].join(', ')}`;
    const path = ['timeline', index, 'release'];
    return [
      { path, found, expected: 'a switch that is stopped', fix: `${stops}; name one of these, or flip it before` },
    ];
  });
}
