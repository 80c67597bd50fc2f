import { sinceT0 } from '../../checkers/index-of.ts';
import type { DrillIndex } from '../../checkers/index-of.ts';
import type { Judgement } from '../../checkers/verdict-file.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { arrivalsOf } from './arrivals-of.ts';
import type { Arrivals } from './arrivals-of.ts';
import { percent, placeIn } from './axis.ts';
import type { Window } from './axis.ts';
import { happeningsOf } from './happenings.ts';
import type { Happening } from './happenings.ts';
import { lanes, livesOf } from './lanes.ts';
import type { Line } from './lanes.ts';
import { markup } from './markup.ts';
import type { Markup } from './markup.ts';
import type { IndexedInput } from './report-input.ts';
import { stopName, stopsByInterest } from './stop-words.ts';
import type { MeasuredStop } from './stop-words.ts';

const MOST_LANES = 16;
const MOST_NUMBERED = 24;
const MOST_CLOSE_UPS = 3;
/** Markers closer than this share of the width are put below one another. */
const MARKER_SHARE = 0.055;
const MARKER_ROWS = 4;

/** The drill from left to right, then close around the stops that tell most. */
export function timeline({ index, judgement, record }: IndexedInput): Markup {
  if (index === null) return markup`<p>The record cannot be measured, so that there is nothing to draw.</p>`;
  const rows = shownRows(arrivalsOf(index, judgement));
  const happenings = happeningsOf(index);
  const window = { fromMs: 0, toMs: Math.max(sinceT0(index, index.endNs), 1) };
  const lives = livesOf(index.incarnations.values(), (ns) => sinceT0(index, ns), index.endNs);
  const lines = happenings.flatMap(({ kind, fromMs }): readonly Line[] =>
    kind === 'fault' ? [] : [{ kind, atMs: fromMs }],
  );
  const stops = stopsByInterest(judgement.flips).slice(0, MOST_CLOSE_UPS);
  const budgets = record.scenario.expect.timeToStop;
  return markup`${key()}<figure><figcaption>The whole drill, seconds since traffic began</figcaption>${markers(happenings, window)}${lanes({ arrivals: rows, window, happenings, lines, lives, ended: new Map() })}</figure>${happeningList(happenings)}${stops.map((stop) => closeUp(stop, { index, rows, happenings, budgetMs: budgetsOf(stop, budgets) }))}${milestoneTable(judgement)}`;
}

function budgetsOf(
  { timeToStop }: MeasuredStop,
  { connectedMs, cutMs }: Scenario['expect']['timeToStop'],
): readonly number[] {
  return [...new Set(timeToStop.workers.map(({ regime }) => (regime === 'connected' ? connectedMs : cutMs)))];
}

/** Of a large fleet the lanes that tell most, in the fleet's order, and all others as one. */
function shownRows(all: readonly Arrivals[]): readonly Arrivals[] {
  if (all.length <= MOST_LANES) return all;
  const telling = all.toSorted(
    (one, other) => other.late.length - one.late.length || other.inside.length - one.inside.length,
  );
  const shown = new Set(telling.slice(0, MOST_LANES - 1));
  const rest = all.filter((one) => !shown.has(one));
  const together = {
    worker: `${rest.length} others`,
    inside: rest.flatMap(({ inside }) => inside),
    outside: rest.flatMap(({ outside }) => outside),
    late: rest.flatMap(({ late }) => late),
  };
  return [...all.filter((one) => shown.has(one)), together];
}

function key(): Markup {
  const swatch = (shape: Markup, text: string): Markup =>
    markup`<li><svg class="swatch" aria-hidden="true" viewBox="0 0 20 16">${shape}</svg>${text}</li>`;
  return markup`<ul class="key">${[
    swatch(
      markup`<path class="ticks inside" d="M4 2V14M10 2V14M16 2V14"/>`,
      'arrivals in scope of a stop (upper half)',
    ),
    swatch(markup`<path class="ticks outside" d="M4 5V14M10 5V14M16 5V14"/>`, 'all others (lower half)'),
    swatch(markup`<circle class="late" cx="10" cy="8" r="4"/>`, 'in scope, later than the budget'),
    swatch(markup`<circle class="ended" cx="10" cy="8" r="4.5"/>`, 'last call in scope ended'),
    swatch(markup`<rect class="band-stop" width="20" height="16"/>`, 'a stop is in force'),
    swatch(markup`<rect class="band-fault" width="20" height="16"/>`, 'a fault is in force'),
  ]}</ul>`;
}

function markers(happenings: readonly Happening[], window: Window): Markup | null {
  const numbered = happenings.slice(0, MOST_NUMBERED);
  if (numbered.length === 0) return null;
  const ends = Array.from({ length: MARKER_ROWS }, () => Number.NEGATIVE_INFINITY);
  const drawn = numbered.map(({ kind, fromMs }, nth) => {
    const share = Math.min(0.985, Math.max(0.015, placeIn(window, fromMs) ?? 0));
    const free = ends.findIndex((end) => share - end >= MARKER_SHARE);
    const row = free < 0 ? nth % MARKER_ROWS : free;
    ends[row] = share;
    const y = 9 + row * 19;
    const x = percent(share);
    const shape =
      kind === 'fault'
        ? markup`<svg x="${x}" y="${y}" overflow="visible"><rect class="marker-fault" x="-8" y="-8" width="16" height="16"/></svg>`
        : markup`<circle class="marker-${kind}" cx="${x}" cy="${y}" r="8"/>`;
    return markup`${shape}<text class="marker-text" x="${x}" y="${y + 4}" text-anchor="middle">${nth + 1}</text>`;
  });
  const rows = ends.filter((end) => end > Number.NEGATIVE_INFINITY).length;
  return markup`<div class="lanes"><span></span><svg class="markers rows-${rows}" aria-hidden="true">${drawn}</svg></div>`;
}

function happeningList(happenings: readonly Happening[]): Markup | null {
  if (happenings.length === 0) return null;
  const shown = happenings.slice(0, MOST_NUMBERED);
  const more = happenings.length - shown.length;
  const items = shown.map(
    ({ kind, fromMs, text }, nth) =>
      markup`<li><span class="number number-${kind}">${nth + 1}</span><span class="at">${(fromMs / 1000).toFixed(3)} s</span><span>${text}</span></li>`,
  );
  const rest = more > 0 ? markup`<p class="note">${more} more are in the list of milestones.</p>` : null;
  return markup`<ol class="happenings">${items}</ol>${rest}`;
}

interface CloseUp {
  readonly index: DrillIndex;
  readonly rows: readonly Arrivals[];
  readonly happenings: readonly Happening[];
  readonly budgetMs: readonly number[];
}

/** The same lanes around one stop, its request at 0. */
function closeUp(stop: MeasuredStop, { index, rows, happenings, budgetMs }: CloseUp): Markup {
  const { requestedAt, timeToStop } = stop;
  const slowestMs = Math.max(...timeToStop.workers.map(({ state, ms }) => (state === 'stopped' ? (ms ?? 0) : 0)));
  const lastLateMs = rows.reduce((last, { late }) => Math.max(last, (late.at(-1) ?? 0) - requestedAt), 0);
  const reachMs = Math.max(...budgetMs, slowestMs, Math.min(lastLateMs, Math.max(...budgetMs) * 4)) * 1.15;
  const window = { fromMs: -reachMs / 4, toMs: reachMs };
  const shift = (all: readonly number[]): readonly number[] => all.map((atMs) => atMs - requestedAt);
  const arrivals = rows.map(({ worker, inside, outside, late }) => ({
    ...{ worker, inside: shift(inside), outside: shift(outside), late: shift(late) },
  }));
  const lines: readonly Line[] = [
    { kind: 'stop', atMs: 0 },
    ...budgetMs.map((atMs): Line => ({ kind: 'budget', atMs })),
  ];
  const moved = happenings.map((one) => ({
    ...one,
    fromMs: one.fromMs - requestedAt,
    toMs: one.toMs - requestedAt,
  }));
  const ended = new Map(
    timeToStop.workers.flatMap(({ worker, state, ms }) =>
      state === 'stopped' && ms !== null ? [[worker, ms] as const] : [],
    ),
  );
  const since = (ns: number): number => sinceT0(index, ns) - requestedAt;
  const lives = livesOf(index.incarnations.values(), since, index.endNs);
  const what = `Around the stop of ${stopName(stop)} (revision ${stop.revision}), time since it was requested; dashed: the budget`;
  return markup`<figure><figcaption>${what}</figcaption>${lanes({ arrivals, window, happenings: moved, lines, lives, ended })}</figure>`;
}

function milestoneTable({ milestones }: Judgement): Markup {
  const rows = milestones.map(
    ({ name, atMs }) => markup`<tr><td class="num">${(atMs / 1000).toFixed(3)}</td><td>${name}</td></tr>`,
  );
  return markup`<details><summary>All milestones (${milestones.length})</summary><table><thead><tr><th scope="col" class="num">s</th><th scope="col">milestone</th></tr></thead><tbody>${rows}</tbody></table></details>`;
}
