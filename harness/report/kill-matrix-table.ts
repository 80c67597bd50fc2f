import type { Verdict } from '../checkers/checker.ts';
import type { SelftestRow } from '../selftest/kill-matrix.ts';
import { wrap } from './wrap.ts';

const MARKS: Readonly<Record<Verdict, string>> = {
  pass: '.',
  fail: 'x',
  inconclusive: '?',
  not_applicable: '-',
  error: '!',
};
const NAMED = 'X';
const DIFFERS = '*';
const WIDTH = 80;

/** The kill matrix in at most 80 columns: a row a mutant or control, a column a property. */
export function renderKillMatrix(rows: readonly SelftestRow[]): string {
  const properties = [...new Set(rows.flatMap(({ verdicts }) => Object.keys(verdicts)))];
  const groups = groupByName(rows);
  const nameWidth = Math.max(...groups.map(([name]) => name.length), 'mutant or control'.length);
  const heading = `${'mutant or control'.padEnd(nameWidth)}  ${properties.map((_, at) => String(at + 1).padStart(2)).join(' ')}`;
  return [
    `${heading}  result`,
    ...groups.map(([name, own]) => `${name.padEnd(nameWidth)}  ${marksOf(own, properties)}  ${resultOf(own)}`),
    '',
    ...properties.map((property, at) => `${String(at + 1).padStart(2)} ${property}`),
    '',
    ...wrap(
      `${NAMED} fails as it must · x fails too · . pass · ? inconclusive · - does not apply · ! error · ${DIFFERS} not the same in all rounds`,
      WIDTH,
    ),
    ...reasons(rows),
    '',
    summary(rows),
  ].join('\n');
}

function marksOf(own: readonly SelftestRow[], properties: readonly string[]): string {
  return properties.map((property) => markOf(own, property).padStart(2)).join(' ');
}

function markOf(own: readonly SelftestRow[], property: string): string {
  const [first, ...others] = own.map(({ verdicts }) => verdicts[property]);
  if (first === undefined) return ' ';
  if (others.some((other) => other !== first)) return DIFFERS;
  return first === 'fail' && own[0]?.property === property ? NAMED : MARKS[first];
}

function resultOf(own: readonly SelftestRow[]): string {
  const word = own[0]?.kind === 'mutant' ? 'killed' : 'passed';
  return `${word} ${own.filter(({ sound }) => sound).length}/${own.length}`;
}

function reasons(rows: readonly SelftestRow[]): readonly string[] {
  const survivors = rows.filter(({ sound }) => !sound);
  if (survivors.length === 0) return [];
  return ['', 'Not as it must be:', ...survivors.flatMap(({ name, why }) => wrap(`${name}: ${why ?? ''}`, WIDTH))];
}

function summary(rows: readonly SelftestRow[]): string {
  const count = (kind: SelftestRow['kind']): string => {
    const own = rows.filter((row) => row.kind === kind);
    return `${own.filter(({ sound }) => sound).length} of ${own.length}`;
  };
  return `selftest: ${count('mutant')} mutants killed, ${count('control')} clean fleets passed`;
}

function groupByName(rows: readonly SelftestRow[]): readonly (readonly [string, readonly SelftestRow[]])[] {
  const groups = new Map<string, SelftestRow[]>();
  for (const row of rows) groups.set(row.name, [...(groups.get(row.name) ?? []), row]);
  return [...groups];
}
