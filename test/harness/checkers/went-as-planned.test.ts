import { expect, test } from 'vitest';
import { judge } from '../../../harness/checkers/judge.ts';
import type { FlipFacts } from '../../../harness/history/event.ts';
import type { TimelineEntry } from '../../../harness/scenario/scenario.ts';
import { AT, cleanDrill, STOP_ID } from './clean-drill.ts';
import { changed, plus, recordOf, withScenario } from './history-builder.ts';
import type { DraftDrill } from './history-builder.ts';

const on = { scope: 'tenant', target: 'acme' } as const;
const RED = 3_000;

/** The clean drill with a release before its own one that the scenario expects to be refused. */
function withRedRelease(answer: 'taken' | 'refused'): DraftDrill {
  const common = { flip: 9, kind: 'release', ...on, mode: null, queue: null, expected: 'refused', id: 'red' } as const;
  const facts: FlipFacts = { ...common, engagements: [STOP_ID] };
  const ok = answer === 'taken';
  const entry: TimelineEntry = {
    kind: 'release',
    when: { kind: 'flip', offsetMs: RED },
    ...on,
    expect: 'refused',
    via: 'postgres',
    reason: 'drill',
  };
  const planned = withScenario(cleanDrill(), (scenario) => ({ ...scenario, timeline: [entry, ...scenario.timeline] }));
  return plus(
    planned,
    { atMs: AT.stop + RED, body: { type: 'flip.requested', ...facts } },
    {
      atMs: AT.stop + RED + 5,
      body: { type: 'flip.answered', ...facts, ok, error: ok ? null : 'red', revision: ok ? 2 : null },
    },
  );
}

/** The drill whose last release finds these engagements, and is refused. */
function lastRefused(draft: DraftDrill, engagements: readonly string[]): DraftDrill {
  return changed(draft, (timed) => {
    const { body } = timed;
    if (body.type !== 'flip.answered' && body.type !== 'flip.requested') return timed;
    if (body.kind !== 'release' || body.flip === 9) return timed;
    const refused = body.type === 'flip.answered' ? { ok: false, revision: null, error: 'nothing is open' } : {};
    return { ...timed, body: { ...body, engagements, ...refused } };
  });
}

function wentAsPlanned(draft: DraftDrill): string | undefined {
  return judge(recordOf(draft)).expectations.find(({ name }) => name === 'went_as_planned')?.verdict;
}

test('a release that is expected to be red went as planned, whatever the store answered', () => {
  expect(wentAsPlanned(withRedRelease('refused'))).toBe('pass');
  expect(wentAsPlanned(withRedRelease('taken'))).toBe('pass');
});

test('a later release that has nothing left to close went as planned once a red one was taken, and not before', () => {
  expect(wentAsPlanned(lastRefused(withRedRelease('taken'), []))).toBe('pass');
  expect(wentAsPlanned(lastRefused(withRedRelease('refused'), []))).toBe('inconclusive');
  expect(wentAsPlanned(lastRefused(withRedRelease('taken'), [STOP_ID]))).toBe('inconclusive');
});
