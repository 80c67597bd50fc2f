import type { Judgement, TimeToStop } from '../../checkers/verdict-file.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { ms, summaryOf } from '../percentile.ts';
import { axis, percent, placeIn } from './axis.ts';
import type { Window } from './axis.ts';
import { markup } from './markup.ts';
import type { Markup } from './markup.ts';
import { bySlowness, stopName, stopsByInterest, timeText } from './stop-words.ts';
import type { MeasuredStop } from './stop-words.ts';

/** Dots are drawn one by one up to so many a regime; beyond, columns count them. */
const MOST_DOTS = 120;
const SLOTS = 60;
const DOTS_HIGH = 6;
const HEIGHT = 64;
const MOST_ROWS = 200;

type WorkerTime = TimeToStop['workers'][number];

/** How the times to stop of all workers under all stops are distributed, by regime, and each of them in a table. */
export function distribution(
  { flips }: Judgement,
  { timeToStop: budget }: Pick<Scenario['expect'], 'timeToStop'>,
): Markup {
  const stops = stopsByInterest(flips);
  const all = stops.flatMap(({ timeToStop }) => timeToStop.workers).filter((one) => one.ms !== null);
  if (all.length === 0) return markup`<p>No worker was exposed to a stop, so that there is no time to measure.</p>`;
  const longestMs = all.reduce((longest, one) => Math.max(longest, one.ms ?? 0), 0);
  const regimes = [...new Set(all.map(({ regime }) => regime))].toSorted();
  const budgetOf = (regime: string): number => (regime === 'connected' ? budget.connectedMs : budget.cutMs);
  const window = { fromMs: 0, toMs: Math.max(longestMs, ...regimes.map(budgetOf)) * 1.05 };
  const rows = regimes.map((regime) =>
    strip(
      regime,
      all.filter((one) => one.regime === regime),
      budgetOf(regime),
      window,
    ),
  );
  return markup`<figure><figcaption>Times to stop of all workers under ${stops.length === 1 ? 'the stop' : `${stops.length} stops`}; dashed: the budget </figcaption><div class="lanes">${rows}<span></span>${axis(window)}</div></figure>${timesTable(stops)}`;
}

function strip(regime: string, times: readonly WorkerTime[], budgetMs: number, window: Window): Markup {
  const stopped = times.flatMap((one) => (one.state === 'stopped' && one.ms !== null ? [one.ms] : []));
  const cutShort = times.length - stopped.length;
  const x = percent(placeIn(window, budgetMs) ?? 1);
  const said = `${regime}: ${summaryOf(stopped)}${cutShort > 0 ? `, ${cutShort} cut short` : ''}; budget ${ms(budgetMs)}`;
  return markup`<span class="lane-name">${regime}<span class="sub">${summaryOf(stopped)}</span></span><svg class="lane strip" role="img" aria-label="${said}">${times.length > MOST_DOTS ? columns(times, window) : dots(times, window)}<line class="line-budget" x1="${x}" x2="${x}" y1="0" y2="100%"/></svg>`;
}

function slotOf(one: WorkerTime, window: Window): number {
  return Math.min(SLOTS - 1, Math.floor((placeIn(window, one.ms ?? 0) ?? 1) * SLOTS));
}

function dots(times: readonly WorkerTime[], window: Window): readonly Markup[] {
  const heights = new Map<number, number>();
  return times.map((one) => {
    const slot = slotOf(one, window);
    const high = heights.get(slot) ?? 0;
    heights.set(slot, high + 1);
    const y = HEIGHT - 8 - (high % DOTS_HIGH) * 9;
    return markup`<circle class="${one.state === 'stopped' ? 'dot' : 'dot-open'}" cx="${percent(placeIn(window, one.ms ?? 0) ?? 1)}" cy="${y}" r="4"/>`;
  });
}

function columns(times: readonly WorkerTime[], window: Window): readonly Markup[] {
  const counts = Array.from({ length: SLOTS }, () => 0);
  for (const one of times) counts[slotOf(one, window)] = (counts[slotOf(one, window)] ?? 0) + 1;
  const most = Math.max(...counts);
  return counts.flatMap((count, nth) => {
    if (count === 0) return [];
    const height = Math.max(2, ((HEIGHT - 8) * count) / most);
    const y = (HEIGHT - 2 - height).toFixed(1);
    return [
      markup`<rect class="column" x="${percent(nth / SLOTS)}" width="${percent(0.9 / SLOTS)}" y="${y}" height="${height.toFixed(1)}"/>`,
    ];
  });
}

function timesTable(stops: readonly MeasuredStop[]): Markup {
  const all = stops.flatMap((stop) => bySlowness(stop.timeToStop.workers).map((one) => ({ stop, one })));
  const rows = all
    .slice(0, MOST_ROWS)
    .map(
      ({ stop, one }) =>
        markup`<tr><td>${stopName(stop)} <span class="sub">r${stop.revision}</span></td><td>${one.worker}</td><td>${one.state}</td><td>${one.regime}</td><td class="num">${timeText(one)}</td></tr>`,
    );
  const more =
    all.length > MOST_ROWS
      ? markup`<p class="note">${all.length - MOST_ROWS} rows more are in verdict.json.</p>`
      : null;
  return markup`<details><summary>Every worker under every stop (${all.length})</summary><div class="scroll" role="region" aria-label="Times to stop" tabindex="0"><table><thead><tr><th scope="col">stop</th><th scope="col">worker</th><th scope="col">state</th><th scope="col">regime</th><th scope="col" class="num">time to stop</th></tr></thead><tbody>${rows}</tbody></table></div>${more}</details>`;
}
