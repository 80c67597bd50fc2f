import type { PropertyFinding } from '../checkers/run-checkers.ts';
import type { Judgement } from '../checkers/verdict-file.ts';
import type { Skipped } from '../drill/lacking.ts';
import { element } from './xml.ts';

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="killdrill">\n';
const TAIL = '</testsuites>\n';

/**
 * A drill as JUnit XML: a suite with a case for each property, each expectation, and the verdict over them all. What could
 * not be established is an `error`: JUnit has no word for it, and it must not count as passed.
 */
export function junitSuite(judgement: Judgement): string {
  const { scenario, seed, environment, verdict, exitCode, worst, properties, expectations } = judgement;
  const overall = verdict === 'pass' ? 'nothing is violated' : (worst?.reason ?? 'no property applies');
  const cases = [
    ...properties.map((finding) => ({ group: 'properties', finding })),
    ...expectations.map((finding) => ({ group: 'expectations', finding })),
    { group: 'drill', finding: { name: 'verdict', verdict, reason: overall, evidence: {} } },
  ];
  const lastMs = judgement.milestones.at(-1)?.atMs ?? 0;
  const count = (...verdicts: readonly string[]): number =>
    cases.filter(({ finding }) => verdicts.includes(finding.verdict)).length;
  const facts = Object.entries({ seed, environment, verdict, exitCode }).map(([name, value]) =>
    element('property', { name, value }),
  );
  return element(
    'testsuite',
    {
      name: scenario,
      tests: cases.length,
      failures: count('fail'),
      errors: count('error', 'inconclusive'),
      skipped: count('not_applicable'),
      time: Math.max(0, lastMs) / 1000,
    },
    [element('properties', {}, facts), ...cases.map(({ group, finding }) => testCase(scenario, group, finding))],
  );
}

function testCase(scenario: string, group: string, { name, verdict, reason, evidence }: PropertyFinding): string {
  const attributes = { classname: `${scenario}.${group}`, name, time: 0 };
  const told = Object.keys(evidence).length === 0 ? '' : ` ${JSON.stringify(evidence)}`;
  switch (verdict) {
    case 'pass':
      return element('testcase', attributes);
    case 'fail':
      return element('testcase', attributes, [element('failure', { type: verdict, message: `${reason}${told}` })]);
    case 'error':
    case 'inconclusive':
      return element('testcase', attributes, [element('error', { type: verdict, message: `${reason}${told}` })]);
    case 'not_applicable':
      return element('testcase', attributes, [element('skipped', { message: reason })]);
    default:
      throw new TypeError(`unknown verdict ${String(verdict satisfies never)}`);
  }
}

/** A scenario that was not drilled: one skipped case, which is no pass. */
export function skippedSuite({ scenario, why }: Skipped): string {
  const one = element('testcase', { classname: `${scenario}.drill`, name: 'verdict', time: 0 }, [
    element('skipped', { message: why }),
  ]);
  return element('testsuite', { name: scenario, tests: 1, failures: 0, errors: 0, skipped: 1, time: 0 }, [one]);
}

/** A document of suites. */
export function junitDocument(suites: readonly string[]): string {
  return `${HEAD}${suites.map((suite) => `${suite}\n`).join('')}${TAIL}`;
}

/** The same document with one suite more; null when it is none of ours. */
export function withSuite(document: string, suite: string): string | null {
  if (!document.startsWith(HEAD) || !document.endsWith(TAIL)) return null;
  return `${document.slice(0, -TAIL.length)}${suite}\n${TAIL}`;
}
