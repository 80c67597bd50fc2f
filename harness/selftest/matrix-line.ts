import type { Judged } from './guards.ts';
import type { SelftestRow } from './kill-matrix.ts';
import type { Subject } from './subject.ts';

/** A subject as the committed matrix shows it: only what is the same in every run that kills the same mutants. */
export interface MatrixLine extends Judged {
  readonly kind: Subject['kind'];
  /** One sentence; null for a control, which has none. */
  readonly bug: string | null;
  readonly scenario: string;
  /** The sentence of the failure that killed it; null for a control and a survivor. */
  readonly witness: string | null;
}

/** What the drills of each subject came to; of several witnesses the first. */
export function linesOfRows(subjects: readonly Subject[], rows: readonly SelftestRow[]): readonly MatrixLine[] {
  return subjects.map((subject) => {
    const own = rows.filter(({ name }) => name === subject.name);
    const sound = own.length > 0 && own.every((row) => row.sound);
    return lineOf(subject, sound, sound ? (own[0]?.witness ?? null) : null);
  });
}

/** What the drills have to come to: every mutant is killed, every control passes. No run has seen a witness yet. */
export function linesAsTheyMustBe(subjects: readonly Subject[]): readonly MatrixLine[] {
  return subjects.map((subject) => lineOf(subject, true, null));
}

function lineOf(subject: Subject, sound: boolean, witness: string | null): MatrixLine {
  const { kind, name, scenario } = subject;
  if (subject.kind === 'control') return { kind, name, scenario, sound, witness: null, bug: null, property: null };
  return { kind, name, scenario, sound, witness, bug: subject.bug, property: subject.property };
}
