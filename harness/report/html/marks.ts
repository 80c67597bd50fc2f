import type { Window } from './axis.ts';

/** Marks of one row are drawn one by one up to so many; beyond, the whole chart counts them in bars. */
const MOST_MARKS = 300;
const BINS = 400;
/** The inner picture's width, in its own units: it is stretched to whatever room there is. */
export const ACROSS = 1000;

/** Instants counted in equal stretches of a window. */
export interface Bins {
  readonly counts: readonly number[];
  readonly binMs: number;
}

/** Whether any of these rows has more marks within the window than can be told apart. */
export function needsBins(rows: readonly (readonly number[])[], window: Window): boolean {
  return rows.some((row) => row.filter((atMs) => isWithin(atMs, window)).length > MOST_MARKS);
}

export function binned(row: readonly number[], window: Window): Bins {
  const counts = Array.from({ length: BINS }, () => 0);
  const binMs = (window.toMs - window.fromMs) / BINS;
  for (const atMs of row) {
    if (!isWithin(atMs, window)) continue;
    const bin = Math.min(BINS - 1, Math.floor((atMs - window.fromMs) / binMs));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { counts, binMs };
}

/** A mark for each instant: data of a path of upright lines from `top` to `bottom`. */
export function ticksPath(row: readonly number[], window: Window, top: number, bottom: number): string {
  const perMs = ACROSS / (window.toMs - window.fromMs);
  const places = row.filter((atMs) => isWithin(atMs, window)).map((atMs) => place((atMs - window.fromMs) * perMs));
  return [...new Set(places)].map((x) => `M${x} ${top}V${bottom}`).join('');
}

/** A bar for each stretch with anything in it, as high as its count: data of a path to be filled. */
export function barsPath({ counts }: Bins, most: number, top: number, bottom: number): string {
  const width = ACROSS / counts.length;
  let data = '';
  for (const [nth, count] of counts.entries()) {
    if (count === 0) continue;
    // The least that is there is seen.
    const height = Math.max(1.5, ((bottom - top) * count) / most);
    data += `M${place(nth * width)} ${bottom}v${place(-height)}h${place(width)}v${place(height)}z`;
  }
  return data;
}

function isWithin(atMs: number, { fromMs, toMs }: Window): boolean {
  return atMs >= fromMs && atMs <= toMs;
}

function place(value: number): number {
  return Number(value.toFixed(1));
}
