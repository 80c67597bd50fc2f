import { markup } from './markup.ts';
import type { Markup } from './markup.ts';

/** A stretch of time that a chart shows, milliseconds. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Where an instant lies in a window: 0 at its left end, 1 at its right; null outside. */
export function placeIn({ fromMs, toMs }: Window, atMs: number): number | null {
  if (!(atMs >= fromMs && atMs <= toMs) || toMs === fromMs) return null;
  return (atMs - fromMs) / (toMs - fromMs);
}

/** A share of a chart's width as an attribute has it. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`;
}

const MOST_TICKS = 7;

/** Round instants within a window, at most seven. */
export function ticksOf(window: Window): readonly number[] {
  const { fromMs, toMs } = window;
  const span = toMs - fromMs;
  if (!(span > 0)) return [];
  const power = 10 ** Math.floor(Math.log10(span / MOST_TICKS));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => span / one < MOST_TICKS) ?? span;
  const first = Math.ceil(fromMs / step);
  const count = Math.max(0, Math.floor(toMs / step) - first + 1);
  const ticks = Array.from({ length: count }, (_, index) => Number(((first + index) * step).toPrecision(12)));
  return ticks.filter((tick) => placeIn(window, tick) !== null);
}

/** How an instant is written below an axis that spans so much. */
export function tickText(atMs: number, { fromMs, toMs }: Window): string {
  if (toMs - fromMs <= 3_000) return atMs === 0 ? '0' : `${Math.round(atMs)} ms`;
  return atMs === 0 ? '0' : `${Number((atMs / 1000).toFixed(1))} s`;
}

/** The line of instants below a chart. Its labels are text, so that they stay as large on a phone as on a desk. */
export function axis(window: Window): Markup {
  const ticks = ticksOf(window).map((atMs) => {
    const share = placeIn(window, atMs) ?? 0;
    const anchor = share < 0.03 ? 'start' : share > 0.97 ? 'end' : 'middle';
    const x = percent(share);
    return markup`<line class="tick" x1="${x}" x2="${x}" y1="0" y2="5"/><text x="${x}" y="18" text-anchor="${anchor}">${tickText(atMs, window)}</text>`;
  });
  return markup`<svg class="axis" aria-hidden="true"><line class="tick" x1="0" x2="100%" y1="0.5" y2="0.5"/>${ticks}</svg>`;
}
