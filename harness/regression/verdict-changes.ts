import type { Verdict } from '../checkers/checker.ts';
import type { Judgement } from '../checkers/verdict-file.ts';
import type { KeptVerdicts } from './regression-file.ts';

/** A property, an expectation, or `verdict` for the drill as a whole, of which two judgements say different things. */
export interface ChangedVerdict {
  readonly name: string;
  /** Null: it was not judged then. */
  readonly was: Verdict | null;
  /** Null: it is not judged any more. */
  readonly is: Verdict | null;
  /** Why it is what it is, a sentence; null when it is not judged any more. */
  readonly reason: string | null;
}

/** A judgement held against the one that was stored with the run. */
export type VerdictChanges =
  | {
      readonly kind: 'same' | 'changed';
      /** The version that judged the run, null when the bundle does not say, and the one that judges now. */
      readonly killdrill: { readonly was: string | null; readonly is: string };
      /** Empty for `same`. The drill as a whole comes first, then what changed, what is new and what is gone. */
      readonly changes: readonly ChangedVerdict[];
    }
  /** There is no stored one. */
  | { readonly kind: 'nothing_stored'; readonly why: string };

/** Every verdict that is not what it was. A reason that is worded otherwise is no change. */
export function changedVerdicts(was: KeptVerdicts, is: Judgement): readonly ChangedVerdict[] {
  const findings = [...is.properties, ...is.expectations];
  const before = new Map(Object.entries({ ...was.expectations, ...was.properties }));
  const overall = { name: 'verdict', was: was.verdict, is: is.verdict, reason: is.worst?.reason ?? null };
  const present = findings.map(({ name, verdict, reason }): ChangedVerdict => {
    return { name, was: before.get(name) ?? null, is: verdict, reason };
  });
  const gone = [...before].flatMap(([name, was]): readonly ChangedVerdict[] =>
    findings.some((one) => one.name === name) ? [] : [{ name, was, is: null, reason: null }],
  );
  return [
    ...(overall.was === overall.is ? [] : [overall]),
    ...present.filter(({ was, is }) => was !== null && was !== is),
    ...present.filter(({ was }) => was === null),
    ...gone,
  ];
}

/** What changed since the run was judged, and by which versions. */
export function verdictChanges(
  was: KeptVerdicts,
  is: Judgement,
  killdrill: { readonly was: string | null; readonly is: string },
): VerdictChanges {
  const changes = changedVerdicts(was, is);
  return { kind: changes.length === 0 ? 'same' : 'changed', killdrill, changes };
}
