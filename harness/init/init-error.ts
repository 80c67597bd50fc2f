import { KilldrillError } from '../../src/errors.ts';

/** Why nothing was written. */
export function refusedInit(sentence: string, cause?: unknown): KilldrillError {
  return new KilldrillError('USAGE', `${sentence}; nothing was written`, { cause });
}
