import { SEVERITY } from '../checkers/finding.ts';
import type { PropertyFinding } from '../checkers/run-checkers.ts';
import type { FlipVerdict, Judgement } from '../checkers/verdict-file.ts';
import { inlineMarkdown as inline, markdownCode, markdownTable } from './markdown.ts';
import { summaryOf } from './percentile.ts';

const SIGNS: Readonly<Record<PropertyFinding['verdict'], string>> = {
  pass: '✅',
  fail: '❌',
  error: '💥',
  inconclusive: '❔',
  not_applicable: '➖',
};
const MOST_STOPS = 50;

/** `report.md`: a drill's judgement for a pull request, a wiki or a step summary. */
export function renderMarkdown(judgement: Judgement, { reproduce }: { readonly reproduce: string }): string {
  const { scenario, seed, environment, verdict, exitCode, worst, flips, properties, expectations, notes } = judgement;
  const stops = flips.filter(({ timeToStop }) => timeToStop !== null);
  const parts = [
    `## ${SIGNS[verdict]} ${inline(scenario)}: ${verdict}`,
    `Seed ${seed}, environment ${inline(environment)}, exit code ${exitCode}.`,
    ...(worst === null ? [] : [`**Worst:** ${markdownCode(worst.name)}: ${inline(worst.reason)}`]),
    ...(stops.length === 0 ? [] : ['### Stops', stopTable(stops)]),
    '### Properties and expectations',
    findingTable([...properties, ...expectations]),
    ...notes.map((note) => `> ${inline(note)}`),
    `Reproduce: ${markdownCode(reproduce.replaceAll('`', "'"))}`,
  ];
  return `${parts.join('\n\n')}\n`;
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
      `${inline(name)} (r${stop.revision})`,
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
    inline(reason),
  ]);
  return markdownTable(['verdict', 'claim', 'reason'], rows);
}
