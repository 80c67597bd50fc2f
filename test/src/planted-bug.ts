import fc from 'fast-check';
import { expect } from 'vitest';

/** Where a model looks for a planted bug: a rare counterexample must not be a matter of luck. Sound code gets a new seed each time. */
const SEED = 20_261_121;

/** What `fc.assert` says when it fails: seed, smallest counterexample, and what was wrong with it. Fails the test if it did not fail. */
export async function counterexampleOf(run: () => unknown): Promise<string> {
  const before = fc.readConfigureGlobal();
  fc.configureGlobal({ ...before, seed: SEED });
  let said: string | null = null;
  try {
    await run();
  } catch (error) {
    // The recipe is in the message, what was wrong in the cause.
    said = error instanceof Error ? `${error.message}\n${String(error.cause)}` : String(error);
  } finally {
    fc.configureGlobal(before);
  }
  expect(said, 'the model did not find the bug that was planted').not.toBeNull();
  expect(said).toMatch(/seed: .*Counterexample:/s);
  return said ?? '';
}
