import { waitUntil } from '../environment/wait.ts';
import type { World } from '../world/world.ts';
import type { LeftClaims } from './left-claims.ts';

const DRAIN_MS = 3_000;
const DRAIN_LOOK_MS = 50;
/** How long a claim that nobody holds any more may keep the end of a drill waiting. */
const LEFT_CLAIMS_MS = 9_000;
const LEFT_CLAIMS_LOOK_MS = 100;

/** Waits until calls have ended by themselves and nobody's claim is left, or it is time to go on without that. */
export async function awaitQuiet(world: Pick<World, 'counts'>, left: LeftClaims, signal: AbortSignal): Promise<void> {
  const isQuiet = async (): Promise<boolean> => {
    await left.none(); // it has to watch for a while, which begins here
    return world.counts().inFlight === 0;
  };
  await waitUntil(isQuiet, { boundMs: DRAIN_MS, everyMs: DRAIN_LOOK_MS, signal });
  await waitUntil(() => left.none(), { boundMs: LEFT_CLAIMS_MS, everyMs: LEFT_CLAIMS_LOOK_MS, signal });
}
