import type { CapabilityRow, MeanFit, Percentiles, ShareFit, TimesFit, TraceFit } from '../traffic/describe-trace.ts';
import { table, widthLeft } from './table.ts';

/** Of a trace that was not drawn. */
const NOT_STATED = '-';

/** A drill's traffic as a table: what the mix states, and what came out of the seed. */
export function trafficTable(fit: TraceFit, width: number): string {
  const stated = { title: 'stated', width: 23, align: 'right' } as const;
  const drawn = { title: 'drawn', width: 23, align: 'right' } as const;
  const what = { title: 'traffic, ms: p50/p90/p99', width: widthLeft(width, [stated.width, drawn.width]) };
  const rows = [
    ['runs, effects, effects/s', '', totals(fit)],
    ...(['effectsPerRun', 'childrenPerRun'] as const).map((name) => means(name, fit[name])),
    ...fit.kinds.map((row) => shares(`kind ${row.kind}`, row)),
    shares('refused at first', fit.refused),
    shares('of these, twice', fit.refusedTwice),
    shares('children waited for', fit.attached),
    shares('scheduled runs', fit.scheduled),
    times('timers ahead', fit.timerLead),
    times('retries ahead', fit.retryDelay),
    times('scheduled ahead', fit.scheduleLead),
    ...fit.capabilities.map(capability),
  ];
  return table([what, stated, drawn], rows);
}

function totals({ runs, effects, effectsPerSecond }: TraceFit): string {
  return `${runs}, ${effects}, ${Math.round(effectsPerSecond)}`;
}

function means(name: 'effectsPerRun' | 'childrenPerRun', { intended, drawn }: MeanFit): string[] {
  const title = name === 'effectsPerRun' ? 'effects per run' : 'children per run';
  return [title, intended?.toFixed(2) ?? NOT_STATED, drawn.toFixed(2)];
}

function shares(name: string, { intended, share }: ShareFit): string[] {
  return [name, percent(intended), percent(share)];
}

function times(name: string, { intended, drawn }: TimesFit): string[] {
  return [name, intended === null ? NOT_STATED : percentiles(intended), drawn === null ? 'none' : percentiles(drawn)];
}

/** A capability's share, and its service times. */
function capability({ capability: name, intended, share, service }: CapabilityRow): string[] {
  const [, stated = '', drawn = ''] = times(name, service);
  const both = intended === null ? NOT_STATED : `${percent(intended)}, ${stated}`;
  return [name, both, `${percent(share)}, ${drawn}`];
}

function percent(share: number | null): string {
  if (share === null) return NOT_STATED;
  return `${(share * 100).toFixed(1)} %`;
}

function percentiles({ p50, p90, p99 }: Percentiles): string {
  return `${[p50, p90, p99].join('/')} ms`;
}
