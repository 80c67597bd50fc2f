/** How a sentence about an import is meant. */
export const FINDING_KINDS = {
  'not reconstructed': 'What the records do not have, and no drill can have from them',
  assumed: 'What was assumed in its place',
  corrected: 'What was put right',
  'left out': 'What is in the records and not in the drill',
  redacted: 'What was done to names',
} as const;
export type FindingKind = keyof typeof FINDING_KINDS;

/** One thing that a reader of an imported incident has to know. */
export interface ImportFinding {
  readonly kind: FindingKind;
  readonly sentence: string;
}

/** Findings as they are made, each said once. */
export class Findings {
  readonly #all: ImportFinding[] = [];

  add(kind: FindingKind, sentence: string): void {
    if (!this.#all.some((one) => one.sentence === sentence)) this.#all.push({ kind, sentence });
  }

  /** Says it when there is at least one of what it counts. */
  count(kind: FindingKind, number: number, sentence: string): void {
    if (number > 0) this.add(kind, `${number} ${sentence}`);
  }

  /** In the order of their kinds. */
  all(): readonly ImportFinding[] {
    const kinds = Object.keys(FINDING_KINDS);
    return this.#all.toSorted((one, other) => kinds.indexOf(one.kind) - kinds.indexOf(other.kind));
  }
}
