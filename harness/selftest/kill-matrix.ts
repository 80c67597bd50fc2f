import type { Verdict } from '../checkers/checker.ts';
import type { Judgement } from '../checkers/verdict-file.ts';
import type { DrillRecord } from '../drill/drill.ts';
import type { HistoryEvent } from '../history/event.ts';
import type { ControlSubject, Subject } from './subject.ts';

/** What must hold in a mutant's drill besides the failure itself, or the failure proves nothing. */
const GROUNDS = ['witness_sound', 'went_as_planned', 'steady_state'] as const;

/** One drill of the selftest, judged as such. */
export interface SelftestRow {
  readonly name: string;
  readonly kind: Subject['kind'];
  readonly scenario: string;
  /** The property that must fail; null for a control. */
  readonly property: string | null;
  /** A mutant that was killed, a control that passed. */
  readonly sound: boolean;
  /** Why not, in a sentence; null when `sound`. */
  readonly why: string | null;
  readonly verdict: Judgement['verdict'];
  readonly verdicts: Readonly<Record<string, Verdict>>;
  /** The witness of the failure that killed it. */
  readonly witness: string | null;
}

/**
 * A mutant is killed only if the property named for it is `fail`, while the ground under it held, and it has proved that
 * it acted otherwise than the unmodified fleet; inconclusive and error are survivors. A control must pass.
 */
export function judgeSubject(subject: Subject, judgement: Judgement, record: DrillRecord): SelftestRow {
  const why =
    subject.kind === 'control' ? whyGuilty(subject, judgement, record) : whySurvived(subject, judgement, record);
  const property = subject.kind === 'mutant' ? subject.property : null;
  const named = judgement.properties.find(({ name }) => name === property);
  return {
    name: subject.name,
    kind: subject.kind,
    scenario: subject.scenario,
    property,
    sound: why === null,
    why,
    verdict: judgement.verdict,
    verdicts: Object.fromEntries(judgement.properties.map(({ name, verdict }) => [name, verdict])),
    witness: named?.verdict === 'fail' ? named.reason : null,
  };
}

function whyGuilty({ stalls }: ControlSubject, { verdict, worst }: Judgement, { events }: DrillRecord): string | null {
  if (verdict === 'pass') {
    const hasLagged = stalls === undefined || events.some(({ type }) => type === 'loop.lag');
    return hasLagged ? null : 'its witness was to lag, and never did';
  }
  return worst === null ? `its verdict is ${verdict}` : `${worst.name} is ${worst.verdict}: ${worst.reason}`;
}

function whySurvived(
  { name, property }: { readonly name: string; readonly property: string },
  { properties, expectations }: Judgement,
  { events }: DrillRecord,
): string | null {
  const named = properties.find((one) => one.name === property);
  if (named === undefined) return `there is no property ${property}`;
  if (named.verdict !== 'fail') return `${property} is ${named.verdict}: ${named.reason}`;
  const shaken = expectations.find((one) => GROUNDS.some((ground) => ground === one.name) && one.verdict !== 'pass');
  if (shaken !== undefined) return `${shaken.name} is ${shaken.verdict}: ${shaken.reason}`;
  return events.some((event) => isProof(event, name))
    ? null
    : 'it never reported a decision that differs from the unmodified one';
}

/** A worker's or an executor's word for itself, or that of a bug in the store. */
function isProof(event: HistoryEvent, name: string): boolean {
  if (event.type === 'store.mutant') return event.name === name;
  if (event.type !== 'worker.said' && event.type !== 'executor.said') return false;
  return event.said['event'] === 'mutant' && event.said['name'] === name;
}
