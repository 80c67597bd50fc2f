import { KilldrillError } from '../../src/errors.ts';

/** A call whose words are off. */
export function usage(sentence: string): KilldrillError {
  return new KilldrillError('USAGE', `${sentence}; see 'killdrill help'`);
}
