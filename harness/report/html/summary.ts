import type { Verdict } from '../../checkers/checker.ts';
import type { Judgement } from '../../checkers/verdict-file.ts';
import { readableFlip } from '../../checkers/engagements-of.ts';
import { ms } from '../percentile.ts';
import { markup } from './markup.ts';
import type { Content, Markup } from './markup.ts';
import type { IndexedInput } from './report-input.ts';
import { stopBars } from './stop-bars.ts';
import { stopName, stopsByInterest } from './stop-words.ts';
import type { MeasuredStop } from './stop-words.ts';
import { LOOKS } from './verdict-badge.ts';

/** What a reader sees first: the verdict, what was stopped, how fast each worker was, what came after. */
export function summary(input: IndexedInput): Markup {
  const { judgement, record } = input;
  const { verdict, worst, scenario } = judgement;
  const { tone, sign, word } = LOOKS[verdict];
  const stops = stopsByInterest(judgement.flips);
  const [stop] = stops;
  const others = stops.length - 1;
  const budget = record.scenario.expect.timeToStop;
  return markup`<header class="summary edge-${tone}"><p class="eyebrow">${eyebrow(input)}</p><h1><span class="verdict tone-${tone}"><span aria-hidden="true">${sign}</span> ${word}</span><span class="drill-name">${scenario}</span></h1><p class="lead">${worst === null ? plainWords(stop, others) : markup`<code>${worst.name}</code> ${worst.reason}`}</p><div class="tiles">${tiles(judgement, stop, others, budget.connectedMs)}</div>${
    stop === undefined
      ? null
      : markup`<section aria-labelledby="per-worker"><h2 id="per-worker" class="small">Time to stop, by worker${others > 0 ? `: ${stopName(stop)}, the most telling of ${stops.length} stops` : ''}</h2>${stopBars(stop, budget)}</section>`
  }</header>`;
}

function eyebrow({ judgement, record }: IndexedInput): Content {
  const at = record.events.flatMap((event) => (event.type === 'store.flip' ? [readableFlip(event.text)?.at] : []));
  const when = at.find((one) => one !== undefined);
  const parts = ['killdrill', `seed ${judgement.seed}`, `environment ${judgement.environment}`];
  return [...parts, ...(when === undefined ? [] : [`first flip ${when}`])].join(' · ');
}

function plainWords(stop: MeasuredStop | undefined, others: number): string {
  if (stop === undefined) return 'No stop became durable in this drill, and none was due.';
  const { n, maxMs, workers } = stop.timeToStop;
  const exposed = workers.filter(({ state }) => state !== 'not_exposed').length;
  const more = others > 0 ? ` (and ${others} stops more)` : '';
  return `${stopName(stop)} stopped on ${n} of ${exposed} exposed workers within ${ms(maxMs)}${more}. Nothing that was forbidden arrived after its budget.`;
}

function tiles(
  { properties, expectations, flips }: Judgement,
  stop: MeasuredStop | undefined,
  others: number,
  budgetMs: number,
): readonly Markup[] {
  const count = (verdict: Verdict): number =>
    [...properties, ...expectations].filter((one) => one.verdict === verdict).length;
  const held = [`${count('fail')} fail`, `${count('error') + count('inconclusive')} undecided`];
  const claims = tile(
    'Claims that hold',
    String(count('pass')),
    `${held.join(' · ')} · ${count('not_applicable')} n/a`,
  );
  if (stop === undefined) return [tile('Stopped', 'nothing', 'no stop became durable'), claims];
  const sum = (of: (flip: Judgement['flips'][number]) => number | null): number =>
    flips.reduce((total, flip) => total + (of(flip) ?? 0), 0);
  const late = sum(({ effectsAfterBudget }) => effectsAfterBudget);
  const afterFlip = sum(({ effectsAfterFlip }) => effectsAfterFlip);
  const intents = sum(({ intentsAfterStop }) => intentsAfterStop);
  const { maxMs, n, workers } = stop.timeToStop;
  const open = workers.filter(({ state }) => state === 'censored').length;
  const slowest = open > 0 ? `${open} still open` : maxMs === null ? '–' : ms(maxMs);
  const counted = `slowest, n ${n} · budget ${ms(budgetMs)}`;
  return [
    tile(
      'Stopped',
      stopName(stop),
      `${stop.mode ?? ''}, revision ${stop.revision}${others > 0 ? `, and ${others} more` : ''}`,
      'name',
    ),
    tile('Time to stop', slowest, counted, open > 0 ? 'tone-fail' : ''),
    tile(
      'Effects after',
      String(late),
      `after the budget · ${afterFlip} after it was durable · ${intents} intents`,
      late > 0 ? 'tone-fail' : '',
    ),
    claims,
  ];
}

function tile(name: string, value: string, detail: string, looks = ''): Markup {
  return markup`<dl class="tile"><dt>${name}</dt><dd class="figure ${looks}">${value}</dd><dd class="detail">${detail}</dd></dl>`;
}
