import { KilldrillError } from '../../src/errors.ts';

/** One thing that is wrong with a scenario file, where, and how to mend it. Lines and columns count from 1. */
export interface ScenarioProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Where in the scenario, for people: `timeline[1].fault.kind`; empty for the file as a whole. */
  readonly where: string;
  readonly found: string;
  readonly expected: string;
  readonly fix: string;
}

/** Everything that is wrong with a scenario file, in file order; the message has a line for each (code `SCENARIO_INVALID`). */
export class ScenarioError extends KilldrillError {
  readonly problems: readonly ScenarioProblem[];

  constructor(problems: readonly ScenarioProblem[], options?: { readonly cause?: unknown }) {
    super('SCENARIO_INVALID', problems.map(lineOf).join('\n'), options);
    this.name = 'ScenarioError';
    this.problems = problems;
  }
}

function lineOf({ file, line, column, where, found, expected, fix }: ScenarioProblem): string {
  const subject = where === '' ? '' : `${where}: `;
  return `${file}:${line}:${column}: ${subject}found ${found}, expected ${expected}; ${fix}`;
}
