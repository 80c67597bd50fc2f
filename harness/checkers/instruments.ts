import type { Scenario } from '../scenario/scenario.ts';
import type { Finding, Instrument } from './checker.ts';
import { notApplicable } from './finding.ts';
import type { NamedFinding } from './finding.ts';

const WORDS: Readonly<Record<Instrument, string>> = {
  journal: 'the journal of intents and outcomes',
  queue: 'the queue',
  record: 'the record of flips and engagements',
  alerts: 'the alert bus',
  store: 'the store',
};

/** Whether a fleet has what a property needs: one with a switch of its own has nothing of killdrill's store. */
export function isInstrumented({ fleet }: Pick<Scenario, 'fleet'>, needs: Instrument | undefined): boolean {
  return needs === undefined || fleet.levers === null;
}

/** What is said of a property that was not looked at, for want of what it needs. */
export function notInstrumented(needs: Instrument): Finding {
  const reason = `not instrumented: it needs ${WORDS[needs]}, and this fleet has a switch of its own`;
  return { ...notApplicable(reason), evidence: { instrumented: false, needs } };
}

/** Whether a finding is of a property that was not looked at. */
function wasNotLookedAt({ evidence }: Finding): boolean {
  return evidence['instrumented'] === false;
}

/** One sentence about the properties that were not looked at; none when all were. */
export function notLookedAt(properties: readonly NamedFinding[]): readonly string[] {
  const names = properties.filter(wasNotLookedAt).map(({ name }) => name);
  if (names.length === 0) return [];
  const what = `${names.length} of ${properties.length} properties, which need killdrill's own store`;
  return [`not looked at, since this fleet has a switch of its own: ${what} (${names.join(', ')})`];
}
