import { describe, expect, it } from 'vitest';
import { anchorFlips } from '../../../harness/regression/anchor-flips.ts';
import { cutTrace } from '../../../harness/regression/cut-trace.ts';
import type { Anchor } from '../../../harness/scenario/scenario.ts';
import { AT, cleanDrill } from '../checkers/clean-drill.ts';
import { recordOf, withScenario } from '../checkers/history-builder.ts';

const clean = cleanDrill();

function stoppedAt(when: Anchor) {
  const draft = withScenario(clean, (scenario) => ({
    ...scenario,
    timeline: scenario.timeline.map((entry) => (entry.kind === 'flip' ? { ...entry, when } : entry)),
  }));
  return recordOf(draft);
}

describe('anchorFlips', () => {
  it('anchors a stop that came at a time to the effects in its scope that had arrived', () => {
    const record = stoppedAt({ kind: 'start', offsetMs: AT.stop - AT.traffic });
    const ofAcme = new Set(record.trace.runs.filter(({ tenant }) => tenant === 'acme').map(({ run }) => run));
    const count = record.events.filter(
      (event) => event.type === 'effect.arrived' && ofAcme.has(event.run) && event.t1 <= AT.stop * 1e6,
    ).length;
    const { scenario, anchored } = anchorFlips(record);
    expect(count).toBeGreaterThan(10);
    expect(anchored).toBe(1);
    expect(scenario.timeline[0]?.when).toEqual({ kind: 'effect', count, scope: 'tenant', target: 'acme' });
    expect(scenario.timeline.slice(1)).toEqual(record.scenario.timeline.slice(1));
  });

  it('leaves what waits for exposure, or counts from another entry', () => {
    const record = recordOf(clean);
    expect(anchorFlips(record)).toEqual({ scenario: record.scenario, anchored: 0 });
  });

  it('leaves a stop at its time before which nothing in its scope had arrived', () => {
    const draft = { ...clean, timed: clean.timed.filter(({ body }) => !body.type.startsWith('effect.')) };
    const record = recordOf(
      withScenario(draft, (scenario) => ({
        ...scenario,
        timeline: scenario.timeline.map((entry) => ({ ...entry, when: { kind: 'start', offsetMs: 5 } })),
      })),
    );
    expect(anchorFlips(record).anchored).toBe(0);
  });
});

describe('cutTrace', () => {
  it('drops what would become due long after the drill, and counts what is left', () => {
    const record = recordOf(clean);
    const [first] = record.trace.runs;
    if (first === undefined) throw new Error('no run');
    const late = [{ ...first, run: 'late', dueMs: AT.drain + 60_000 }];
    const soon = [{ ...first, run: 'soon', dueMs: AT.drain + 1_000 }];
    const runs = [...record.trace.runs, ...soon, ...late];
    const cut = cutTrace({ ...record, trace: { ...record.trace, runs } });
    expect(cut.runs).toEqual([...record.trace.runs, ...soon]);
    expect(cut.header.generator['runs']).toBe(cut.runs.length);
  });
});
