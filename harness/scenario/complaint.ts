/** Something wrong with a scenario, at a place in it that is not yet a line and a column. */
export interface Complaint {
  readonly path: readonly (string | number)[];
  /** Whether it is about the last key of the path rather than about its value. */
  readonly aboutKey?: true;
  readonly found: string;
  readonly expected: string;
  readonly fix: string;
}

/** A path as people write it: `timeline[1].fault.kind`. */
export function pathText(path: readonly (string | number)[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}
