import type { Comparison, FigureChange, VerdictChange } from '../compare/compare-runs.ts';
import { painter } from './paint.ts';
import { table, widthLeft } from './table.ts';
import { wrap } from './wrap.ts';

/** Two runs beside each other as tables; the last line says whether any verdict got worse. */
export function renderComparison(
  comparison: Comparison,
  { width, colour }: { readonly width: number; readonly colour: boolean },
): string {
  const paint = painter(colour);
  const { scenario, differences, verdicts, figures, counts, worse } = comparison;
  const [from, to] = scenario;
  const parts = [
    paint(wrap(`Comparing ${from === to ? `two runs of ${from}` : `${from} with ${to}`}`, width).join('\n'), 'bold'),
    ...differences.map((one) => wrap(`note: they differ in ${one}`, width).join('\n')),
    verdicts.length === 0 ? 'No verdict changed.' : verdictTable(verdicts, width),
    figureTable(figures, width),
    countTable(counts, width),
    ...wrap('noise: medians of the runs themselves, drawn again, differ by up to this ratio (95 of 100)', width),
    paint(worse ? 'worse: a verdict got worse (exit 1)' : 'no verdict got worse (exit 0)', worse ? 'red' : 'green'),
  ];
  return `${parts.join('\n')}\n`;
}

function verdictTable(verdicts: readonly VerdictChange[], width: number): string {
  const change = { title: 'change', width: 8 };
  const was = { title: 'was', width: 14 };
  const now = { title: 'is', width: 14 };
  const name = { title: 'verdict', width: widthLeft(width, [change.width, was.width, now.width]) };
  return table(
    [change, was, now, name],
    verdicts.map((one) => [one.change, one.from ?? 'not judged', one.to ?? 'not judged', one.name]),
  );
}

function figureTable(figures: readonly FigureChange[], width: number): string {
  const right = 'right' as const;
  const columns = [
    { title: 'first', width: 9, align: right },
    { title: 'second', width: 9, align: right },
    { title: 'ratio', width: 7, align: right },
    { title: 'noise', width: 7, align: right },
    { title: 'n', width: 7, align: right },
  ];
  const what = {
    title: 'median',
    width: widthLeft(
      width,
      columns.map((column) => column.width),
    ),
  };
  const rows = figures.map(({ name, unit, n, from, to, ratio, noiseFloor, isBeyondNoise }) => [
    ...[figure(from), figure(to), ratio === null ? '–' : `x${ratio.toFixed(2)}`],
    ...[noiseFloor === null ? '–' : `x${noiseFloor.toFixed(2)}`, n.join('/')],
    `${name}, ${unit}${isBeyondNoise === true ? ': beyond the noise' : ''}`,
  ]);
  return table([...columns, what], rows);
}

function figure(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

function countTable(counts: Comparison['counts'], width: number): string {
  const first = { title: 'first', width: 9, align: 'right' } as const;
  const second = { title: 'second', width: 9, align: 'right' } as const;
  const what = { title: 'count over all stops', width: widthLeft(width, [first.width, second.width]) };
  return table(
    [first, second, what],
    counts.map(({ name, from, to }) => [String(from), String(to), name]),
  );
}
