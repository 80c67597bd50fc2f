import { messageOf } from './errors.ts';

/** Hands errors, whatever was thrown, to a log. One that fails must not keep anything from going on. */
export function reportTo(onError: ((error: Error) => void) | undefined): (error: unknown) => void {
  return (error) => {
    try {
      onError?.(error instanceof Error ? error : new Error(messageOf(error)));
    } catch {
      // Nobody is left to be told.
    }
  };
}
