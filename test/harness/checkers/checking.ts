import { CHECKERS } from '../../../harness/checkers/registry.ts';
import { runCheckers } from '../../../harness/checkers/run-checkers.ts';
import type { PropertyFinding } from '../../../harness/checkers/run-checkers.ts';
import { recordOf } from './history-builder.ts';
import type { DraftDrill } from './history-builder.ts';

/** What one property says of a draft. */
export function check(property: string, draft: DraftDrill): PropertyFinding {
  const [finding] = runCheckers(
    recordOf(draft),
    CHECKERS.filter(({ name }) => name === property),
  );
  if (finding === undefined) throw new Error(`there is no property '${property}'`);
  return finding;
}
