import { alertEvidence } from './alert-witness.ts';
import { acknowledged, alertName } from './alerts-of.ts';
import type { Finding } from './checker.ts';
import { fail } from './finding.ts';
import type { DrillIndex } from './index-of.ts';

/** A dead letter of something that is no poison; null when there is none. */
export function wrongLetter(index: DrillIndex): Finding | null {
  for (const { content, code, why } of index.alerts.letters) {
    const alert = index.alerts.byContent.get(content);
    if (alert === undefined)
      return fail('the topic of dead letters has one of an alert that nobody published', { content, code, why });
    if (alert.kind !== 'poison')
      return fail(`${alertName(alert)} is among the dead letters: ${why ?? ''}`, {
        ...alertEvidence(index, alert),
        ...{ code, why },
      });
  }
  return null;
}

/** Poison without its dead letter or its record; null when there is none. Records do not say whose they are: they are counted. */
export function missingLetter(index: DrillIndex): Finding | null {
  const { alerts } = index;
  const poison = acknowledged(alerts).filter(({ kind }) => kind === 'poison');
  const letters = new Set(alerts.letters.map(({ content }) => content));
  const records = alerts.records.filter(({ kind }) => kind === 'poison').length;
  const unwritten = poison.find(({ content }) => !letters.has(content));
  const counts = { poison: poison.length, records, letters: alerts.letters.length };
  if (unwritten !== undefined)
    return fail(`${alertName(unwritten)} was acknowledged, and is not among the dead letters`, {
      ...alertEvidence(index, unwritten),
      ...counts,
    });
  const [first] = poison;
  if (first !== undefined && records < poison.length)
    return fail(`${poison.length} alerts of poison were acknowledged, and ${records} are on record`, {
      ...alertEvidence(index, first),
      ...counts,
    });
  if (alerts.letters.length < records)
    return fail(`${records} alerts are on record as poison, with ${alerts.letters.length} dead letters`, counts);
  return null;
}
