import type { Scope } from '../../src/switch.ts';
import { CAPABILITY_NAMES } from '../traffic/capabilities.ts';
import { namesIn } from '../traffic/names-in.ts';
import type { Trace } from '../traffic/trace.ts';
import type { Complaint } from './complaint.ts';
import { nearest } from './nearest.ts';

/** The names that a drill's traffic has, by scope, busiest first, as far as they are known; a scope that is absent may have any. */
export type KnownNames = Readonly<Partial<Record<Scope, readonly string[]>>>;

/** Of drawn traffic only the capabilities are known beforehand: names that a timeline calls become part of it. */
export const DRAWN_NAMES: KnownNames = { capability: CAPABILITY_NAMES };

/** Of a given trace. With primed runs, a stop of a run makes that run. */
export function namesOfTrace({ runs }: Trace, primed: boolean): KnownNames {
  const { tenants, features, agents, capabilities } = namesIn(runs);
  const names = { tenant: tenants, feature: features, agent: agents, capability: capabilities };
  return primed ? names : { ...names, run: runs.map(({ run }) => run) };
}

const SHOWN = 5;
const PLURAL: Readonly<Record<Scope, string>> = {
  global: 'switches',
  tenant: 'tenants',
  feature: 'features',
  capability: 'capabilities',
  agent: 'agents',
  run: 'runs',
};

/** What is wrong with a name that no run of a given trace has; null for nothing. */
export function unknownName(scope: Scope, target: string, known: KnownNames): Omit<Complaint, 'path'> | null {
  const names = known[scope];
  if (names === undefined || names.includes(target)) return null;
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  const expected = `one of the trace’s ${PLURAL[scope]}: ${names.slice(0, SHOWN).join(', ')}${more}`;
  const meant = nearest(target, names);
  return { found: `'${target}'`, expected, fix: meant === null ? 'write one of them' : `did you mean '${meant}'?` };
}
