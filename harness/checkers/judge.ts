import type { DrillRecord } from '../drill/drill.ts';
import { messageOf } from '../../src/errors.ts';
import type { Checker } from './checker.ts';
import { expectationsOf } from './expectations.ts';
import { cutNotes } from './cut-notes.ts';
import { error, worstOf } from './finding.ts';
import { fleetNotes } from './fleet-notes.ts';
import { effectTallies, flipVerdicts } from './flip-verdicts.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { notLookedAt } from './instruments.ts';
import { milestonesOf, notesOf } from './milestones.ts';
import { CHECKERS } from './registry.ts';
import { runCheckers } from './run-checkers.ts';
import type { PropertyFinding } from './run-checkers.ts';
import { EXIT_CODES, VERDICT_VERSION } from './verdict-file.ts';
import type { Judgement } from './verdict-file.ts';

/** Decides a drill from its record, and from nothing else: the same record gives the same judgement. Never throws. */
export function judge(record: DrillRecord): Judgement {
  const properties = propertiesOf(record);
  const measured = measure(record);
  const verdict = fold(properties, measured.expectations);
  const found = worstOf([...properties, ...measured.expectations]);
  return {
    version: VERDICT_VERSION,
    scenario: record.scenario.name,
    seed: record.scenario.seed,
    environment: measured.environment,
    verdict,
    exitCode: EXIT_CODES[verdict],
    flips: measured.flips,
    properties,
    expectations: measured.expectations,
    worst: found === null || found.verdict === 'pass' || found.verdict === 'not_applicable' ? null : found,
    milestones: measured.milestones,
    effects: measured.effects,
    notes: [...measured.notes, ...notLookedAt(properties)],
  };
}

/**
 * fail > error > inconclusive > pass. When no property applies the drill showed nothing, whatever else went well.
 */
export function fold(
  properties: readonly PropertyFinding[],
  expectations: readonly PropertyFinding[],
): Judgement['verdict'] {
  const worst = worstOf([...properties, ...expectations])?.verdict ?? 'inconclusive';
  const applies = properties.some(({ verdict }) => verdict !== 'not_applicable');
  if (worst === 'not_applicable' || (worst === 'pass' && !applies)) return 'inconclusive';
  return worst;
}

function propertiesOf(record: DrillRecord): readonly PropertyFinding[] {
  const { properties } = record.scenario.expect;
  if (properties === 'all') return runCheckers(record, CHECKERS);
  const unknown = properties.filter((name) => !CHECKERS.some((checker) => checker.name === name));
  const selected: readonly Checker[] = CHECKERS.filter(({ name }) => properties.includes(name));
  const reason = `there is no such property; known are ${CHECKERS.map(({ name }) => name).join(', ')}`;
  return [...runCheckers(record, selected), ...unknown.map((name) => ({ name, ...error(reason) }))];
}

type Measured = Pick<Judgement, 'environment' | 'flips' | 'expectations' | 'milestones' | 'effects' | 'notes'>;

/** A record too broken to be measured still gets its judgement: an error. */
function measure(record: DrillRecord): Measured {
  try {
    return measureIndex(indexOf(record));
  } catch (thrown) {
    const broken = { name: 'witness_sound', ...error(`the record cannot be measured: ${messageOf(thrown)}`) };
    return { environment: 'unknown', flips: [], expectations: [broken], milestones: [], effects: [], notes: [] };
  }
}

function measureIndex(index: DrillIndex): Measured {
  return {
    environment: index.drill?.environment ?? 'unknown',
    flips: flipVerdicts(index),
    expectations: expectationsOf(index),
    milestones: milestonesOf(index),
    effects: effectTallies(index),
    notes: [...cutNotes(index), ...notesOf(index), ...fleetNotes(index)],
  };
}
