import { SEVERITY } from '../checkers/finding.ts';
import type { PropertyFinding } from '../checkers/run-checkers.ts';
import type { FlipVerdict, Judgement } from '../checkers/verdict-file.ts';
import type { VerdictChanges } from '../regression/verdict-changes.ts';
import { markdownCode, markdownInline, markdownTable } from './markdown.ts';
import { summaryOf } from './percentile.ts';
import { changesSentence, rowOf } from './verdict-changes.ts';

const SIGNS: Readonly<Record<PropertyFinding['verdict'], string>> = {
  pass: '✅',
  fail: '❌',
  error: '💥',
  inconclusive: '❔',
  not_applicable: '➖',
};
const MOST_STOPS = 50;

/** `report.md`: a drill's judgement for a pull request, a wiki or a step summary. */
export function renderMarkdown(
  judgement: Judgement,
  { reproduce, changes }: { readonly reproduce: string; readonly changes?: VerdictChanges | undefined },
): string {
  const { scenario, seed, environment, verdict, exitCode, worst, flips, properties, expectations, notes } = judgement;
  const stops = flips.filter(({ timeToStop }) => timeToStop !== null);
  const parts = [
    `## ${SIGNS[verdict]} ${markdownInline(scenario)}: ${verdict}`,
    `Seed ${seed}, environment ${markdownInline(environment)}, exit code ${exitCode}.`,
    ...(worst === null ? [] : [`**Worst:** ${markdownCode(worst.name)}: ${markdownInline(worst.reason)}`]),
    ...(stops.length === 0 ? [] : ['### Stops', stopTable(stops)]),
    '### Properties and expectations',
    findingTable([...properties, ...expectations]),
    ...(changes === undefined ? [] : changesSection(changes)),
    ...notes.map((note) => `> ${markdownInline(note)}`),
    `Reproduce: ${markdownCode(reproduce.replaceAll('`', "'"))}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function changesSection(changes: VerdictChanges): readonly string[] {
  const said = ["### Against the run's own verdict", markdownInline(changesSentence(changes))];
  if (changes.kind !== 'changed') return said;
  const rows = changes.changes.map((one) => {
    const [was, is, name] = rowOf(one);
    return [was, is, markdownCode(name)];
  });
  return [...said, markdownTable(['was', 'is', 'claim'], rows)];
}

function stopTable(stops: readonly FlipVerdict[]): string {
  const head = ['stop', 'mode', 'time to stop', 'after the budget', 'after it was durable', 'intents after'];
  const rows = stops.slice(0, MOST_STOPS).map((stop) => {
    const name = stop.scope === 'global' ? 'global' : `${stop.scope}:${stop.target}`;
    const times = stop.timeToStop?.workers.flatMap((one) =>
      one.state === 'stopped' && one.ms !== null ? [one.ms] : [],
    );
    const open = stop.timeToStop?.workers.filter(({ state }) => state === 'censored').length ?? 0;
    const took = `${summaryOf(times ?? [])}${open > 0 ? `, ${open} still open` : ''}`;
    const counts = [stop.effectsAfterBudget, stop.effectsAfterFlip, stop.intentsAfterStop];
    return [
      `${markdownInline(name)} (r${stop.revision})`,
      stop.mode ?? '',
      took,
      ...counts.map((count) => String(count ?? '–')),
    ];
  });
  const more = stops.length > MOST_STOPS ? `\n\n${stops.length - MOST_STOPS} stops more.` : '';
  return `${markdownTable(head, rows)}${more}`;
}

function findingTable(findings: readonly PropertyFinding[]): string {
  const inOrder = findings.toSorted((one, other) => SEVERITY.indexOf(one.verdict) - SEVERITY.indexOf(other.verdict));
  const rows = inOrder.map(({ name, verdict, reason }) => [
    `${SIGNS[verdict]} ${verdict}`,
    markdownCode(name),
    markdownInline(reason),
  ]);
  return markdownTable(['verdict', 'claim', 'reason'], rows);
}
