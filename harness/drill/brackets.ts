/** Things to end, last begun first. Each is ended, whatever the others do. */
export class Brackets {
  #ends: (() => void | Promise<void>)[] = [];

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
