import { KilldrillError } from '../../errors.ts';
import type { ResolvedStoreOptions } from './options.ts';
import type { Session } from './session.ts';

/** Tries for the lock before those who hold it up are terminated (DESIGN §3.4). */
const TRIES = 3;
/** How often that is done before the flip is refused; a holder that outlives this is no worker. */
const ROUNDS = 3;

/**
 * Does one statement that takes the flip's lock, again while the lock is not to be had: nothing was written then. Those
 * who share it for too long have their backends terminated.
 *
 * @throws KilldrillError `STORE_BUSY` when not even that helped; otherwise what the statement throws.
 */
export async function underFlipLock<T>(
  session: Session,
  { namespace, timings }: ResolvedStoreOptions,
  statement: () => Promise<T>,
): Promise<T> {
  for (let round = 1; ; round += 1) {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      try {
        return await statement();
      } catch (thrown) {
        if (!(thrown instanceof KilldrillError && thrown.code === 'STORE_BUSY')) throw thrown;
      }
    }
    if (round === ROUNDS) break;
    await session.call<number>('terminate_holders', [namespace]);
  }
  const waitedMs = TRIES * ROUNDS * timings.lockMs;
  throw new KilldrillError(
    'STORE_BUSY',
    `the flip waited ${waitedMs} ms for the lock of namespace '${namespace}', and terminating those who share it did not help; look in pg_locks for who holds it exclusively`,
  );
}
