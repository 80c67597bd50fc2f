/** Whom to tell of a change. One that throws hurts neither those who changed something nor the others. */
export class Listeners<Changed> {
  #listeners: readonly ((changed: Changed) => void)[] = [];

  add(listener: (changed: Changed) => void): void {
    this.#listeners = [...this.#listeners, listener];
  }

  tell(changed: Changed): void {
    for (const listener of this.#listeners) {
      try {
        listener(changed);
      } catch {
        // State has changed already; what a listener does with the news must not undo or delay that.
      }
    }
  }
}
