import type { ChangedVerdict, VerdictChanges } from '../regression/verdict-changes.ts';
import { table, widthLeft } from './table.ts';
import { wrap } from './wrap.ts';

const NOT_JUDGED = 'not judged';

/** What `check` found changed since the run was judged: a sentence, and a table of what changed. */
export function renderVerdictChanges(changes: VerdictChanges, width: number): readonly string[] {
  const lines = wrap(changesSentence(changes), width);
  if (changes.kind !== 'changed') return lines;
  const was = { title: 'was', width: 14 };
  const is = { title: 'is', width: 14 };
  const what = { title: 'verdict', width: widthLeft(width, [was.width, is.width]) };
  return [...lines, table([was, is, what], changes.changes.map(rowOf))];
}

/** The same in one sentence, without its table. */
export function changesSentence(changes: VerdictChanges): string {
  if (changes.kind === 'nothing_stored') return changes.why;
  const { was, is } = changes.killdrill;
  const versions =
    was === is ? `killdrill ${is} then and now` : `killdrill ${was ?? 'of an unknown version'} then, ${is} now`;
  if (changes.kind === 'same') return `the same as the run's own verdict, in every property (${versions})`;
  return `changed since the run was judged (${versions}):`;
}

/** Was, is, and whose verdict it is. */
export function rowOf({ name, was, is }: ChangedVerdict): readonly [was: string, is: string, name: string] {
  return [was ?? NOT_JUDGED, is ?? NOT_JUDGED, name];
}
