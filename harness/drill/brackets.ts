/** Things to end, last begun first. Each is ended, whatever the others do. */
export class Brackets {
  readonly #ends: (() => void | Promise<void>)[] = [];

  add(end: () => void | Promise<void>): void {
    this.#ends.push(end);
  }

  /** Ends everything; then throws the first error, if there was one. Safe to call twice. */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (const end of this.#ends.splice(0).reverse()) {
      try {
        await end();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

/**
 * Uses brackets and closes them, however the use ends. What broke first is what is thrown: an end that fails because of
 * it does not hide it.
 */
export async function inBrackets<T>(use: (brackets: Brackets) => Promise<T>): Promise<T> {
  const brackets = new Brackets();
  let result: T;
  try {
    result = await use(brackets);
  } catch (error) {
    await brackets.close().catch(() => undefined);
    throw error;
  }
  await brackets.close();
  return result;
}
