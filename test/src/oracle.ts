import type { CriticalCapabilities, Engagement, StopMode, Subject } from '../../src/switch.ts';

const ORDER: readonly StopMode[] = ['halt_noncritical', 'halt_all', 'emergency'];

/** DESIGN §1 read aloud: does this pattern name that path, or something above it? */
function names(pattern: string, path: string): boolean {
  if (!pattern.endsWith('/*')) return pattern === path;
  const above = pattern.split('/').slice(0, -1);
  const steps = path.split('/');
  return steps.length > above.length && above.every((step, at) => steps[at] === step);
}

function covers({ scope, target }: Engagement, who: Subject): boolean {
  if (scope === 'global') return true;
  if (scope === 'capability') return who.capability !== null && names(target, who.capability);
  if (scope === 'run') return [who.run, ...who.lineage].includes(target);
  return who[scope] === target;
}

/** What the operator declared, and what the process knows of drains: the revision at which each that goes on was opened. */
export interface Circumstances {
  readonly critical?: CriticalCapabilities;
  readonly drains?: ReadonlyMap<string, number>;
}

function lets(engagement: Engagement, who: Subject, { critical = [], drains = new Map() }: Circumstances): boolean {
  if (engagement.mode === 'halt_noncritical') {
    return (
      who.critical === true || critical.some((pattern) => who.capability !== null && names(pattern, who.capability))
    );
  }
  const opened = drains.get(engagement.id);
  const stamp = who.admittedRevision ?? null;
  return engagement.queue === 'drain' && opened !== undefined && stamp !== null && stamp < opened;
}

/** The mode that holds for a subject, by looking at every engagement: slow, and obviously right. */
export function modeFor(open: readonly Engagement[], who: Subject, how: Circumstances = {}): StopMode | null {
  const stopping = open.filter((one) => covers(one, who) && !lets(one, who, how));
  const found = stopping.map(({ mode }) => ORDER.indexOf(mode));
  return found.length === 0 ? null : (ORDER[Math.max(...found)] ?? null);
}

/** Whether the subject must not act. */
export function refuses(open: readonly Engagement[], who: Subject, how: Circumstances = {}): boolean {
  return modeFor(open, who, how) !== null;
}
