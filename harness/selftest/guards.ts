/** What is known of a subject once its drills are judged. */
export interface Judged {
  /** The property that it must make fail; null for a control. */
  readonly property: string | null;
  /** A mutant that was killed each time, a control that passed each time. */
  readonly sound: boolean;
  readonly name: string;
}

/** A property, and the mutants that prove that it can fail. */
export interface Guarded {
  readonly property: string;
  /** Empty: unguarded. Nobody has seen this property fail for the bug that it is there for. */
  readonly mutants: readonly string[];
}

/** Each property with the mutants that were killed by it; one that survived guards nothing. */
export function guardsOf(subjects: readonly Judged[], properties: readonly string[]): readonly Guarded[] {
  return properties.map((property) => ({
    property,
    mutants: subjects.filter((one) => one.sound && one.property === property).map(({ name }) => name),
  }));
}

/** A sentence that names every property that no mutant guards; null when there is none. */
export function holeIn(guards: readonly Guarded[]): string | null {
  const unguarded = guards.filter(({ mutants }) => mutants.length === 0).map(({ property }) => property);
  if (unguarded.length === 0) return null;
  const what = unguarded.length === 1 ? 'a property is' : `${unguarded.length} properties are`;
  return `${what} unguarded, no mutant was killed there: ${unguarded.join(', ')}; plant such a bug in fleet-sim/mutants/, or mend the mutant that survived`;
}
