import { describe, expect, it } from 'vitest';
import { junitDocument, junitSuite, skippedSuite, withSuite } from '../../../harness/report/junit.ts';
import { clean, failed, nasty } from './drills.ts';
import { parseXml } from './parse-xml.ts';
import type { XmlElement } from './parse-xml.ts';

const suiteOf = (text: string): XmlElement => parseXml(text).children[0]!;
const named = (suite: XmlElement, name: string): readonly XmlElement[] =>
  suite.children.filter((child) => child.name === name);

/** What the schema that Jenkins and its kin share lets stand where. */
const SHAPE: Readonly<
  Record<
    string,
    { readonly needs: readonly string[]; readonly may: readonly string[]; readonly holds: readonly string[] }
  >
> = {
  testsuites: { needs: [], may: ['name', 'tests', 'failures', 'errors', 'time'], holds: ['testsuite'] },
  testsuite: {
    needs: ['name', 'tests'],
    may: ['name', 'tests', 'failures', 'errors', 'skipped', 'time', 'timestamp', 'hostname'],
    holds: ['properties', 'testcase', 'system-out', 'system-err'],
  },
  properties: { needs: [], may: [], holds: ['property'] },
  property: { needs: ['name', 'value'], may: ['name', 'value'], holds: [] },
  testcase: {
    needs: ['name', 'classname'],
    may: ['name', 'classname', 'time'],
    holds: ['skipped', 'error', 'failure'],
  },
  failure: { needs: [], may: ['type', 'message'], holds: [] },
  error: { needs: [], may: ['type', 'message'], holds: [] },
  skipped: { needs: [], may: ['message'], holds: [] },
};

function expectShape({ name, attributes, children }: XmlElement): void {
  const shape = SHAPE[name];
  if (shape === undefined) throw new Error(`the schema has no ${name}`);
  for (const needed of shape.needs) expect(attributes, name).toHaveProperty(needed);
  for (const given of Object.keys(attributes)) expect(shape.may, name).toContain(given);
  for (const child of children) {
    expect(shape.holds, name).toContain(child.name);
    expectShape(child);
  }
}

describe('junit.xml', () => {
  it('has the shape that its readers know, whatever the names are', () => {
    for (const { judgement } of [clean, failed, nasty]) expectShape(parseXml(junitDocument([junitSuite(judgement)])));
  });

  it('has a case for each property, each expectation, and the verdict; its counts are those of its cases', () => {
    for (const { judgement } of [clean, failed]) {
      const suite = suiteOf(junitDocument([junitSuite(judgement)]));
      const cases = named(suite, 'testcase');
      const names = [...judgement.properties, ...judgement.expectations].map(({ name }) => name);
      expect(cases.map(({ attributes }) => attributes['name'])).toEqual([...names, 'verdict']);
      const count = (kind: string): string => String(cases.filter(({ children }) => children[0]?.name === kind).length);
      expect(suite.attributes).toMatchObject({
        tests: String(cases.length),
        failures: count('failure'),
        errors: count('error'),
        skipped: count('skipped'),
      });
    }
  });

  it('is red for what failed, and for what could not be established', () => {
    const kinds = (judgement: Parameters<typeof junitSuite>[0]): Readonly<Record<string, string>> =>
      Object.fromEntries(
        named(suiteOf(junitDocument([junitSuite(judgement)])), 'testcase').map(({ attributes, children }) => [
          attributes['name'],
          children[0]?.name ?? 'passed',
        ]),
      );
    expect(kinds(failed.judgement)).toMatchObject({ no_effect_after_stop: 'failure', verdict: 'failure' });
    expect(kinds(clean.judgement)).toMatchObject({ no_effect_after_stop: 'passed', verdict: 'passed' });
    const open = { ...clean.judgement, verdict: 'inconclusive', properties: [], worst: null } as const;
    expect(kinds(open)).toMatchObject({ verdict: 'error' });
  });

  it('takes another suite into a document of its own, and into no other', () => {
    const one = junitDocument([junitSuite(clean.judgement)]);
    const two = withSuite(one, skippedSuite({ scenario: 'broker', why: 'no <Kafka> here' }));
    const suites = parseXml(two ?? '').children;
    expect(suites.map(({ attributes }) => attributes['name'])).toEqual(['tenant-halt', 'broker']);
    expect(named(suites[1]!, 'testcase')[0]?.children[0]?.attributes['message']).toBe('no <Kafka> here');
    expect(withSuite('<html></html>', '')).toBeNull();
  });
});
