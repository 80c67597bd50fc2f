import type { Scenario } from '../../scenario/scenario.ts';
import { ms } from '../percentile.ts';
import { percent } from './axis.ts';
import { markup } from './markup.ts';
import type { Markup } from './markup.ts';
import { bySlowness, timeText } from './stop-words.ts';
import type { MeasuredStop } from './stop-words.ts';

/** So many rows stay above the fold; the table below has all. */
const MOST_BARS = 8;

/** Time to stop of each worker as a bar against the budget that it had. */
export function stopBars({ timeToStop: { workers } }: MeasuredStop, budget: Scenario['expect']['timeToStop']): Markup {
  const rows = bySlowness(workers);
  const shown = rows.slice(0, MOST_BARS);
  const budgets = new Set(shown.map(({ regime }) => (regime === 'connected' ? budget.connectedMs : budget.cutMs)));
  const scaleMs = Math.max(...budgets, ...shown.map((one) => one.ms ?? 0)) * 1.06;
  const drawn = shown.map((one) => {
    const ownMs = one.regime === 'connected' ? budget.connectedMs : budget.cutMs;
    const isLate = one.state === 'censored' || (one.ms ?? 0) > ownMs;
    const at = percent(ownMs / scaleMs);
    const width = one.ms === null ? '0' : percent(Math.max(0.004, one.ms / scaleMs));
    return markup`<div class="bar-row"><span class="bar-name">${one.worker}</span><svg class="bar" aria-hidden="true"><rect class="bar-bed" width="100%" height="12" y="3" rx="2"/><rect class="${isLate ? 'bar-late' : 'bar-time'}" width="${width}" height="12" y="3" rx="2"/><line class="line-under" x1="${at}" x2="${at}" y1="0" y2="18"/><line class="line-budget" x1="${at}" x2="${at}" y1="0" y2="18"/></svg><span class="bar-value">${timeText(one)}</span></div>`;
  });
  const more = rows.length - shown.length;
  const names = [...budgets].map((one) => ms(one)).join(' or ');
  return markup`<div class="bars">${drawn}</div><p class="note">Dashed line: the budget, ${names}.${more > 0 ? ` ${more} faster or unexposed workers more in the table below.` : ''}</p>`;
}
