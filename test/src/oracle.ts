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

/** The mode that holds for a subject, by looking at every engagement: slow, and obviously right. */
export function modeFor(open: readonly Engagement[], who: Subject): StopMode | null {
  const found = open.filter((one) => covers(one, who)).map(({ mode }) => ORDER.indexOf(mode));
  return found.length === 0 ? null : (ORDER[Math.max(...found)] ?? null);
}

/** Whether the subject must not act. */
export function refuses(open: readonly Engagement[], who: Subject, critical: CriticalCapabilities = []): boolean {
  const mode = modeFor(open, who);
  if (mode === null) return false;
  if (mode !== 'halt_noncritical') return true;
  return who.capability === null || !critical.some((pattern) => names(pattern, who.capability ?? ''));
}
