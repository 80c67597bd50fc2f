import { messageOf } from '../../src/errors.ts';
import type { DrillRecord } from '../drill/drill.ts';
import type { Checker, Finding } from './checker.ts';
import { error, inconclusive } from './finding.ts';
import { indexOf } from './index-of.ts';
import { isInstrumented, notInstrumented } from './instruments.ts';
import { missingTail } from './whole-history.ts';

/** What one checker said of one record. */
export interface PropertyFinding extends Finding {
  readonly name: string;
}

/**
 * Runs checkers over a record. One that throws is an error, never a pass; and no pass comes of a record whose witness
 * lost its tail, saw effects that it can't attribute, or saw no traffic.
 */
export function runCheckers(record: DrillRecord, checkers: readonly Checker[]): readonly PropertyFinding[] {
  return checkers.map((checker) => ({ name: checker.name, ...guarded(record, checker) }));
}

function guarded(record: DrillRecord, checker: Checker): Finding {
  try {
    const finding = findingOf(record, checker);
    return finding.verdict === 'pass' ? (withheldPass(record) ?? finding) : finding;
  } catch (thrown) {
    return error(
      `the checker could not decide: ${messageOf(thrown)}`,
      thrown instanceof Error ? { thrown: thrown.name } : {},
    );
  }
}

function findingOf(record: DrillRecord, checker: Checker): Finding {
  const { needs } = checker;
  if (needs === undefined || isInstrumented(record.scenario, needs)) return checker.check(record);
  return checker.seen?.(record) ?? notInstrumented(needs);
}

function withheldPass(record: DrillRecord): Finding | null {
  const { unattributed, effects } = indexOf(record);
  const [first] = unattributed;
  if (first !== undefined) {
    return error(`${unattributed.length} effects cannot be attributed, the first is ${first.what}`, {
      unattributed: unattributed.length,
    });
  }
  const missing = missingTail(record);
  if (missing !== null) return missing;
  if (effects.length === 0) return inconclusive('traffic', 'no effect arrived in the world at all');
  return null;
}
