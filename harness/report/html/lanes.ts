import type { Incarnation } from '../../checkers/workers-of.ts';
import type { Arrivals } from './arrivals-of.ts';
import { axis, percent, placeIn } from './axis.ts';
import type { Window } from './axis.ts';
import type { Happening } from './happenings.ts';
import { ACROSS, barsPath, binned, needsBins, ticksPath } from './marks.ts';
import { markup } from './markup.ts';
import type { Markup } from './markup.ts';

/** A line across all lanes. */
export interface Line {
  readonly atMs: number;
  readonly kind: 'stop' | 'release' | 'budget';
}

export interface LanesInput {
  readonly arrivals: readonly Arrivals[];
  readonly window: Window;
  readonly happenings: readonly Happening[];
  readonly lines: readonly Line[];
  /** By worker: the lives that it had, milliseconds since T0; empty where that is of no interest. */
  readonly lives: ReadonlyMap<string, readonly Window[]>;
  /** By worker: when its last call in scope ended. */
  readonly ended: ReadonlyMap<string, number>;
}

/** Arrivals that should not have been are drawn one by one up to so many a lane. */
const MOST_LATE = 60;
const MOST_LINES = 40;
/** Upper half: what stops are about. Lower half: everything else. */
const INSIDE = { top: 3, bottom: 17 } as const;
const OUTSIDE = { top: 20, bottom: 29 } as const;
const HEIGHT = 32;

/** Workers as lanes over one window, with a note when marks were counted in bars. */
export function lanes(input: LanesInput): Markup {
  const { arrivals, window } = input;
  const rows = arrivals.flatMap(({ inside, outside }) => [inside, outside]);
  const isBinned = needsBins(rows, window);
  const bins = isBinned ? rows.map((row) => binned(row, window)) : [];
  const most = Math.max(1, ...bins.flatMap(({ counts }) => counts));
  const drawn = arrivals.map((one) => lane(one, input, isBinned ? most : null));
  const binMs = bins[0]?.binMs ?? 0;
  const note = isBinned
    ? markup`<p class="note">Too many arrivals to tell apart: each bar counts those of ${binText(binMs)}, the highest ${most}.</p>`
    : null;
  return markup`<div class="lanes">${drawn}<span></span>${axis(window)}</div>${note}`;
}

function binText(ms: number): string {
  return ms < 1 ? `${ms.toFixed(2)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function lane(arrivals: Arrivals, input: LanesInput, most: number | null): Markup {
  const { window } = input;
  const { worker, inside, outside, late } = arrivals;
  const said = `${worker}: ${inside.length} arrivals in scope, ${outside.length} others, ${late.length} later than the budget`;
  return markup`<span class="lane-name">${worker}</span><svg class="lane" role="img" aria-label="${said}">${bands(worker, input)}${lives(worker, input)}<svg viewBox="0 0 ${ACROSS} ${HEIGHT}" preserveAspectRatio="none" width="100%" height="${HEIGHT}">${row('outside', outside, window, most)}${row('inside', inside, window, most)}</svg>${lineMarks(input)}${endMark(worker, input)}${lateMarks(late, window)}</svg>`;
}

function row(kind: 'inside' | 'outside', marks: readonly number[], window: Window, most: number | null): Markup | null {
  const { top, bottom } = kind === 'inside' ? INSIDE : OUTSIDE;
  const data =
    most === null ? ticksPath(marks, window, top, bottom) : barsPath(binned(marks, window), most, top, bottom);
  if (data === '') return null;
  return markup`<path class="${most === null ? 'ticks' : 'bars'} ${kind}" d="${data}"/>`;
}

function bands(worker: string, { happenings, window }: LanesInput): readonly Markup[] {
  const felt = happenings.filter((one) => one.isFelt && (one.worker === null || one.worker === worker));
  return (['stop', 'fault'] as const).flatMap((kind) =>
    merged(felt.filter((one) => one.kind === kind)).flatMap((span) => band(span, kind, window) ?? []),
  );
}

function band(span: Window, kind: 'stop' | 'fault', window: Window): Markup | null {
  const [from, to] = [Math.max(span.fromMs, window.fromMs), Math.min(span.toMs, window.toMs)];
  if (to <= from) return null;
  const [start, end] = [placeIn(window, from) ?? 0, placeIn(window, to) ?? 1];
  return markup`<rect class="band-${kind}" x="${percent(start)}" width="${percent(end - start)}" y="0" height="100%"/>`;
}

/** Stretches that overlap become one. */
function merged(spans: readonly Window[]): readonly Window[] {
  const found: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of spans.toSorted((one, other) => one.fromMs - other.fromMs)) {
    const last = found.at(-1);
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else found.push({ fromMs, toMs });
  }
  return found;
}

function lives(worker: string, { lives: all, window }: LanesInput): readonly Markup[] {
  return (all.get(worker) ?? []).flatMap(({ fromMs, toMs }) => {
    const [from, to] = [Math.max(fromMs, window.fromMs), Math.min(toMs, window.toMs)];
    if (to <= from) return [];
    const [start, end] = [placeIn(window, from) ?? 0, placeIn(window, to) ?? 1];
    return [
      markup`<rect class="alive" x="${percent(start)}" width="${percent(end - start)}" y="${HEIGHT - 2}" height="2"/>`,
    ];
  });
}

function lineMarks({ lines, window }: LanesInput): readonly Markup[] {
  const shown = lines.flatMap(({ atMs, kind }) => {
    const share = placeIn(window, atMs);
    return share === null ? [] : [{ kind, x: percent(share) }];
  });
  return shown
    .slice(0, MOST_LINES)
    .map(({ kind, x }) => markup`<line class="line-${kind}" x1="${x}" x2="${x}" y1="0" y2="100%"/>`);
}

function endMark(worker: string, { ended, window }: LanesInput): Markup | null {
  const share = placeIn(window, ended.get(worker) ?? Number.NaN);
  return share === null ? null : markup`<circle class="ended" cx="${percent(share)}" cy="10" r="4.5"/>`;
}

function lateMarks(late: readonly number[], window: Window): readonly Markup[] {
  const places = late.flatMap((atMs) => placeIn(window, atMs) ?? []);
  const shown = places.slice(0, MOST_LATE).map((share) => {
    return markup`<circle class="late" cx="${percent(share)}" cy="10" r="4"/>`;
  });
  const data = ticksPath(late, window, 1, HEIGHT - 3);
  if (places.length <= MOST_LATE) return shown;
  return [
    markup`<svg viewBox="0 0 ${ACROSS} ${HEIGHT}" preserveAspectRatio="none" width="100%" height="${HEIGHT}"><path class="ticks late" d="${data}"/></svg>`,
    ...shown,
  ];
}

/** The lives of every worker as the harness saw them, milliseconds since T0. */
export function livesOf(
  incarnations: Iterable<Incarnation>,
  since: (ns: number) => number,
  endNs: number,
): ReadonlyMap<string, readonly Window[]> {
  const lives = new Map<string, Window[]>();
  for (const { worker, spawnedNs, exit } of incarnations) {
    const life = { fromMs: since(spawnedNs), toMs: since(exit?.t1 ?? endNs) };
    lives.set(worker, [...(lives.get(worker) ?? []), life]);
  }
  return lives;
}
