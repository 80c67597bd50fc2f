import type { Flip } from '../../src/switch.ts';
import { alertEvidence } from './alert-witness.ts';
import { acknowledged, alertName } from './alerts-of.ts';
import type { DrillAlert } from './alerts-of.ts';
import type { Finding } from './checker.ts';
import { readableFlip } from './engagements-of.ts';
import { fail } from './finding.ts';
import { nameOf } from './flips-of.ts';
import type { DrillIndex } from './index-of.ts';

/** What the store has that no alert of the drill accounts for; null when there is nothing. */
export function wrongRecord(index: DrillIndex): Finding | null {
  const { records, byContent } = index.alerts;
  for (const { kind, content, topic, partition, position, detector, alertId, flipId } of records) {
    const place = { topic, partition, position, kind };
    const alert = content === null ? undefined : byContent.get(content);
    const where = `record ${partition}/${position} of ${topic}`;
    if (content !== null && alert === undefined)
      return fail(`${where} is a ${kind} of an alert that nobody published`, { ...place, content, detector, alertId });
    if (kind === 'expired') return fail(`${where} calls an alert expired, and none was published that expires`, place);
    if (alert === undefined || kind === 'poison') continue;
    if (alert.kind === 'poison')
      return fail(`${alertName(alert)} is recorded as a ${kind}`, { ...alertEvidence(index, alert), ...place });
    if (flipId !== alert.flipId || detector !== alert.detector || alertId !== alert.id)
      return fail(`${alertName(alert)} is on record under another name: stop '${flipId ?? ''}'`, {
        ...alertEvidence(index, alert),
        ...place,
        ...{ recordedFlip: flipId, recordedDetector: detector, recordedId: alertId, expectedFlip: alert.flipId },
      });
  }
  return null;
}

/** A sound alert whose records say other than that it became one flip; null when there is none. */
export function wrongFlip(index: DrillIndex): Finding | null {
  const stored = new Map<string, Flip>();
  for (const { text } of index.storeFlips) {
    const flip = readableFlip(text);
    if (flip !== null) stored.set(flip.id, flip);
  }
  for (const alert of index.alerts.published) {
    if (alert.kind !== 'sound') continue;
    const kinds = recordsOf(index, alert).map(({ kind }) => kind);
    const flips = kinds.filter((kind) => kind === 'flip').length;
    const other = kinds.find((kind) => kind !== 'flip' && kind !== 'duplicate');
    const wrong = kinds.length === 0 ? null : otherFlip(alert, stored.get(alert.flipId ?? ''));
    const found =
      flips > 1
        ? `became a flip ${flips} times by its records`
        : other === undefined
          ? wrong === null
            ? null
            : `is recorded as a flip, and ${wrong}`
          : `is recorded as ${other}, and nothing had overtaken it`;
    if (found !== null) return fail(`${alertName(alert)} ${found}`, alertEvidence(index, alert));
  }
  return null;
}

function otherFlip({ flipId, scope, target, mode, detector }: DrillAlert, flip: Flip | undefined): string | null {
  if (flip === undefined) return `the store has no flip '${flipId ?? ''}'`;
  if (flip.kind !== 'stop') return `the store has a ${flip.kind} under its id`;
  if (flip.scope !== scope || flip.target !== target || flip.mode !== mode)
    return `by the store it stops ${nameOf(flip)} in mode ${flip.mode}`;
  if (flip.triggeredBy === detector) return null;
  return `by the store it was triggered by '${flip.triggeredBy}', not by '${detector ?? ''}'`;
}

/** An acknowledged alert of which the store has no record, or no flip, or fewer records than copies; null when there is none. */
export function missingRecord(index: DrillIndex): Finding | null {
  const onBus = acknowledged(index.alerts).filter(({ kind }) => kind !== 'poison');
  const copiesOf = new Map<string, number>();
  for (const { content } of onBus) copiesOf.set(content, (copiesOf.get(content) ?? 0) + 1);
  const isLost = (alert: DrillAlert): boolean => recordsOf(index, alert).length === 0;
  const isNoFlip = (alert: DrillAlert): boolean =>
    alert.kind !== 'stale' && !recordsOf(index, alert).some(({ kind }) => kind === 'flip');
  const isShort = (alert: DrillAlert): boolean => recordsOf(index, alert).length < (copiesOf.get(alert.content) ?? 0);
  const lost = onBus.find(isLost) ?? onBus.find(isNoFlip) ?? onBus.find(isShort);
  if (lost === undefined) return null;
  const copies = copiesOf.get(lost.content) ?? 0;
  const evidence = { ...alertEvidence(index, lost), copies };
  if (isLost(lost)) return fail(`${alertName(lost)} was acknowledged, and is not on record`, evidence);
  if (isNoFlip(lost)) return fail(`${alertName(lost)} was acknowledged, and became no flip`, evidence);
  const there = recordsOf(index, lost).length;
  return fail(`${alertName(lost)} is on the bus ${copies} times, and on record ${there} times`, evidence);
}

function recordsOf(index: DrillIndex, { content }: DrillAlert): DrillIndex['alerts']['records'] {
  return index.alerts.recordsOf.get(content) ?? [];
}
