import type { FlipVerdict, QueueCounts, QueueSnapshots } from '../../checkers/verdict-file.ts';
import { axis, percent, placeIn } from './axis.ts';
import type { Window } from './axis.ts';
import { ACROSS } from './marks.ts';
import { markup } from './markup.ts';
import type { Markup } from './markup.ts';
import { queueSeries, SAMPLES } from './queue-series.ts';
import type { QueueSeries } from './queue-series.ts';
import type { IndexedInput } from './report-input.ts';
import { stopName, stopsByInterest } from './stop-words.ts';

const HEIGHT = 34;
const MOST_TABLES = 3;
/** The chart's word for a state where it differs from the store's. */
const WORDS: Readonly<Record<string, string>> = { queued: 'waiting' };

/** The queue over time by the store's own record, and what became of the tasks in scope of each stop. */
export function queueSection({ index, judgement }: IndexedInput): Markup {
  const series = index === null ? null : queueSeries(index);
  const tables = stopsByInterest(judgement.flips)
    .slice(0, MOST_TABLES)
    .flatMap((stop) => (stop.queue === null ? [] : [snapshotTable(stop, stop.queue)]));
  if (series === null && tables.length === 0)
    return markup`<p>The queue was not witnessed in this drill: no task of it was seen to change.</p>`;
  return markup`${series === null ? null : chart(series)}${tables}`;
}

function chart({ window, since, stops, states }: QueueSeries): Markup {
  const rows = states.map(({ state, counts }) => {
    const most = Math.max(...counts);
    const word = WORDS[state] ?? state;
    return markup`<span class="lane-name">${word}<span class="sub">most ${most}</span></span><svg class="lane" role="img" aria-label="tasks ${word}: at most ${most}, ${counts.at(-1) ?? 0} at the end">${stops.slice(0, 40).flatMap((stop) => bandOf(stop, window) ?? [])}<svg viewBox="0 0 ${ACROSS} ${HEIGHT}" preserveAspectRatio="none" width="100%" height="${HEIGHT}"><path class="area" d="${areaPath(counts, most)}"/></svg></svg>`;
  });
  return markup`<figure><figcaption>Tasks of all scopes by state, time since the ${since} by the store's clock; each row has a scale of its own </figcaption><div class="lanes">${rows}<span></span>${axis(window)}</div></figure>`;
}

function bandOf(stop: Window, window: Window): Markup | null {
  const [from, to] = [Math.max(stop.fromMs, window.fromMs), Math.min(stop.toMs, window.toMs)];
  if (!(to > from)) return null;
  const start = placeIn(window, from) ?? 0;
  return markup`<rect class="band-stop" x="${percent(start)}" width="${percent((placeIn(window, to) ?? 1) - start)}" y="0" height="100%"/>`;
}

function areaPath(counts: readonly number[], most: number): string {
  const width = ACROSS / SAMPLES;
  const base = HEIGHT - 1;
  let data = `M0 ${base}`;
  let last: number | null = null;
  for (const [nth, count] of counts.entries()) {
    const y = Number((base - ((HEIGHT - 4) * count) / most).toFixed(1));
    if (y !== last) data += `H${Number((nth * width).toFixed(1))}V${y}`;
    last = y;
  }
  return `${data}H${ACROSS}V${base}z`;
}

const COUNTS = ['waiting', 'running', 'parked', 'discarded', 'done', 'failed', 'unknown', 'gone'] as const;

function snapshotTable(stop: FlipVerdict, { atStop, at60s, at60sMissing, atEnd }: QueueSnapshots): Markup {
  const shown = COUNTS.filter((state) => [atStop, at60s, atEnd].some((counts) => (counts?.[state] ?? 0) > 0));
  const cell = (counts: QueueCounts | null, of: (counts: QueueCounts) => number): string =>
    counts === null ? '–' : String(of(counts));
  const line = (name: string, of: (counts: QueueCounts) => number): Markup =>
    markup`<tr><th scope="row">${name}</th><td class="num">${cell(atStop, of)}</td><td class="num">${cell(at60s, of)}</td><td class="num">${cell(atEnd, of)}</td></tr>`;
  const sum = (counts: QueueCounts): number => COUNTS.reduce((total, state) => total + counts[state], 0);
  const note = at60sMissing === null ? null : markup`<p class="note">T+60 s ${at60sMissing}</p>`;
  return markup`<table class="narrow"><caption>In scope of the stop of ${stopName(stop)} (revision ${stop.revision}): what had not ended when it came </caption><thead><tr><th scope="col">tasks</th><th scope="col" class="num">T+0</th><th scope="col" class="num">T+60 s</th><th scope="col" class="num">end</th></tr></thead><tbody>${shown.map((state) => line(state, (counts) => counts[state]))}${line('in all', sum)}</tbody></table>${note}`;
}
