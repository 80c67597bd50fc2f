import type { Clock } from './clock.ts';
import { messageOf } from './errors.ts';

/**
 * Waits for `work` no longer than `ms`, and rejects with what `late` makes then. The work itself goes on; what becomes of
 * it afterwards is nobody's error any more.
 */
export function within<T>(clock: Clock, ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(late()));
    work.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error instanceof Error ? error : new Error(messageOf(error), { cause: error }));
      },
    );
  });
}
