import { describe, expect, it } from 'vitest';
import { PROPERTY_NAMES } from '../../../harness/checkers/registry.ts';
import { evidenceSchema } from '../../../harness/evidence/evidence-file.ts';
import { EVIDENCE_TOWARDS, REQUIREMENTS, REQUIREMENT_IDS } from '../../../harness/evidence/requirements.ts';
import { sealOf } from '../../../harness/evidence/seal.ts';
import { standingsOf } from '../../../harness/evidence/standings.ts';
import { renderEvidence } from '../../../harness/report/evidence-markdown.ts';
import { NASTY, clean, failed, nasty } from '../report/drills.ts';
import { evidenceFrom, madeEvidence } from './made-evidence.ts';

const standingIn = (evidence: Pick<ReturnType<typeof evidenceFrom>, 'requirements'>, id: string) =>
  evidence.requirements.find((one) => one.id === id);
const STANDSTILL = 'EU AI Act Art. 14(4)(e)';

describe('evidence of a drill', () => {
  it('says who, when, what, on what, and with which result', () => {
    const evidence = evidenceFrom(clean);
    expect(evidence).toMatchObject({
      version: 1,
      kind: 'killdrill evidence',
      who: { name: 'somebody', toldBy: '--by' },
      when: { start: '2026-01-01T09:00:00.000Z', end: '2026-01-01T09:01:00.000Z' },
      project: { commit: 'c0ffee', dirty: false },
      fleet: { command: ['node', 'worker.js'], killdrill: '0.0.0' },
      environment: { facts: { environment: 'embedded' } },
      result: { verdict: 'pass', exitCode: 0 },
    });
    const [flip] = clean.judgement.flips;
    expect(evidence.stops).toHaveLength(1);
    expect(evidence.stops[0]).toMatchObject({
      scope: flip?.scope,
      target: flip?.target,
      mode: flip?.mode,
      path: 'postgres',
      answer: 'acknowledged',
      revision: flip?.revision,
      engagement: expect.stringMatching(/./) as string,
      released: true,
      timeToStop: { n: flip?.timeToStop?.n, maxMs: flip?.timeToStop?.maxMs, budgetMs: { connected: 600, cut: 2_000 } },
      effectsAfterBudget: 0,
    });
    expect(evidence.result.properties.map(({ name }) => name)).toEqual(
      clean.judgement.properties.map(({ name }) => name),
    );
  });

  it('is what its schema says, and sealed over all of it', () => {
    const evidence = evidenceFrom(clean);
    const again: unknown = JSON.parse(JSON.stringify(evidence));
    expect(evidenceSchema.parse(again)).toEqual(again);
    expect(sealOf(again as Record<string, unknown>)).toBe(evidence.sha256);
    expect(sealOf({ ...evidence, who: { name: 'somebody else', toldBy: '--by' } })).not.toBe(evidence.sha256);
  });

  it('is evidence against what its drill failed', () => {
    const evidence = evidenceFrom(failed);
    expect(evidence.result).toMatchObject({ verdict: 'fail', worst: { name: 'no_effect_after_stop' } });
    expect(standingIn(evidence, STANDSTILL)).toMatchObject({ standing: 'evidence against it' });
  });

  it('says of a stop that the drill never came to that it was not asked for', () => {
    const events = clean.record.events.filter(({ type }) => !type.startsWith('flip.'));
    const record = { ...clean.record, events };
    const [stop] = evidenceFrom({
      record,
      judgement: { ...clean.judgement, verdict: 'inconclusive', flips: [] },
    }).stops;
    expect(stop).toMatchObject({ answer: 'not asked for', revision: null, timeToStop: null, released: false });
  });

  it('names the lever, and no path of killdrill, where the fleet brings its own switch', () => {
    const { scenario } = clean.record;
    const lever = { kind: 'command' as const, words: ['stop'] };
    const levers = { stop: lever, release: lever, status: null, withinMs: 1_000 };
    const record = { ...clean.record, scenario: { ...scenario, fleet: { ...scenario.fleet, levers } } };
    expect(evidenceFrom({ ...clean, record }).stops[0]?.path).toBe('levers');
  });
});

describe('what a drill is evidence towards', () => {
  it('is written down for every property, and for no other', () => {
    expect(Object.keys(EVIDENCE_TOWARDS).toSorted()).toEqual(PROPERTY_NAMES.toSorted());
    expect(REQUIREMENTS.map(({ id }) => id)).toEqual(REQUIREMENT_IDS);
    const used = new Set(Object.values(EVIDENCE_TOWARDS).flat());
    expect([...used].toSorted()).toEqual(REQUIREMENT_IDS.toSorted());
  });

  it('takes a pass, a property that held, and the stop that the requirement is about', () => {
    const [stop] = evidenceFrom(clean).stops;
    if (stop === undefined) throw new Error('no stop');
    const properties = [{ name: 'no_effect_after_stop', verdict: 'pass' as const }];
    const shown = { verdict: 'pass' as const, properties, stops: [stop], isSimulated: false };
    const of = (more: Partial<Parameters<typeof standingsOf>[0]>, id: string = STANDSTILL) =>
      standingIn({ requirements: [...standingsOf({ ...shown, ...more })] }, id)?.standing;
    expect(of({})).toBe('evidence towards it');
    expect(of({ verdict: 'inconclusive' })).toBe('nothing shown');
    expect(of({ isSimulated: true })).toBe('nothing shown');
    expect(of({ properties: [{ name: 'no_effect_after_stop', verdict: 'not_applicable' }] })).toBe('nothing shown');
    expect(of({ stops: [{ ...stop, path: 'alert' }] })).toBe('nothing shown');
    expect(of({ stops: [{ ...stop, answer: 'refused' }] })).toBe('nothing shown');
    expect(of({}, 'AISVS v1.0-C9.1.3')).toBe('nothing shown');
    expect(of({ stops: [{ ...stop, scope: 'global', target: '*' }] }, 'AISVS v1.0-C9.1.3')).toBe('evidence towards it');
    expect(of({ verdict: 'fail', properties: [{ name: 'no_effect_after_stop', verdict: 'fail' }] })).toBe(
      'evidence against it',
    );
    const logged = [{ name: 'flips_on_record', verdict: 'pass' as const }];
    expect(of({ properties: logged }, 'AISVS v1.0-C12.4.3')).toBe('evidence towards it');
    expect(of({ properties: logged, stops: [{ ...stop, path: 'levers' }] }, 'AISVS v1.0-C12.4.3')).toBe(
      'nothing shown',
    );
    const late = { verdict: 'fail' as const, properties: [{ name: 'no_effect_after_stop', verdict: 'fail' as const }] };
    expect(of({ ...late, stops: [{ ...stop, answer: 'silent' }] })).toBe('evidence against it');
    expect(of({ ...late, stops: [{ ...stop, path: 'alert' }] })).toBe('nothing shown');
  });
});

describe('evidence.md', () => {
  it('tells the same for people, and what nobody knows as not known', () => {
    const page = renderEvidence(evidenceFrom(clean));
    expect(page).toContain('# Evidence of a drill: tenant-halt, pass');
    expect(page).toContain('somebody (by --by)');
    expect(page).toMatch(/\| EU AI Act Art\. 14\(4\)\(e\): [^|]+ \| {2}\| evidence towards it \|/);
    expect(page).toContain('AISVS v1.0-C9.6.1');
    const unknown = renderEvidence(
      evidenceFrom(clean, {
        who: { name: null, toldBy: 'not told' },
        project: { commit: null, dirty: null, unknownBecause: 'git is not installed here' },
        command: null,
      }),
    );
    expect(unknown).toContain('| who | not told |');
    expect(unknown).toContain('not known: git is not installed here');
    expect(unknown).toContain('the simulated fleet of killdrill');
  });

  it('lets nothing of a nasty drill become markup', () => {
    const page = renderEvidence(evidenceFrom(nasty, { who: { name: NASTY, toldBy: '--by' } }));
    expect(page).not.toContain('<script>');
    expect(page).not.toMatch(/^::error/m);
    expect(renderEvidence(madeEvidence())).not.toContain('undefined');
  });
});
