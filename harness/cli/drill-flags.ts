import type { EnvironmentChoice } from '../environment/choose.ts';

/** What every command that drills takes, as commander hands it over. */
export interface DrillFlags {
  readonly environment: EnvironmentChoice;
  /** Where bundles go. */
  readonly out: string;
  readonly reporter: readonly string[];
  readonly json?: boolean;
  readonly quiet?: boolean;
}
