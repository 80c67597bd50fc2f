import { expect } from 'vitest';

/** What `fc.assert` says when it fails: seed, smallest counterexample, and what was wrong with it. Fails the test if it did not fail. */
export async function counterexampleOf(run: () => unknown): Promise<string> {
  let said: string | null = null;
  try {
    await run();
  } catch (error) {
    // The recipe is in the message, what was wrong in the cause.
    said = error instanceof Error ? `${error.message}\n${String(error.cause)}` : String(error);
  }
  expect(said, 'the model did not find the bug that was planted').not.toBeNull();
  expect(said).toMatch(/seed: .*Counterexample:/s);
  return said ?? '';
}
