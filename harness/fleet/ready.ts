import { KilldrillError } from '../../src/errors.ts';
import { DRILL_TIMES } from '../drill/drill.ts';
import { waitUntil } from '../environment/wait.ts';
import type { DrilledProcess, ProcessExit } from './drilled-process.ts';

const READY_LOOK_MS = 5;
const TOLD_AT_MOST = 3;

/**
 * Waits until each of these processes has said `ready`.
 *
 * @param what those processes together, such as `the fleet`, and one of them
 * @throws KilldrillError `FLEET_NOT_READY` naming those that were not within 20 s, or as soon as one has ended, with what
 * they complained of.
 */
export async function untilReady(
  processes: readonly DrilledProcess[],
  what: { readonly all: string; readonly one: string },
  signal: AbortSignal,
): Promise<void> {
  const settled = (): boolean =>
    processes.every((one) => one.isReady) || processes.some((one) => one.hasExited && one.isHeardOut);
  await waitUntil(settled, { boundMs: DRILL_TIMES.readyMs, everyMs: READY_LOOK_MS, signal });
  const dead = processes.filter((one) => one.hasExited);
  const late = dead.length > 0 ? dead : processes.filter((one) => !one.isReady);
  if (late.length === 0) return;
  const told = late.slice(0, TOLD_AT_MOST).map((one) => `\n${one.name} ${whyNotReady(one)}`);
  const more = late.length > TOLD_AT_MOST ? `\nand ${late.length - TOLD_AT_MOST} ${what.one}s more` : '';
  throw new KilldrillError(
    'FLEET_NOT_READY',
    `${what.all} did not start; each ${what.one} has to say {"event":"ready"} on its stdout within ${DRILL_TIMES.readyMs / 1000} s${told.join('')}${more}`,
  );
}

/** How far a process got, with the end of what it wrote to stderr. */
export function whyNotReady({ exit, complaint }: DrilledProcess): string {
  const how = exit === null ? 'has not said ready' : describeExit(exit);
  return complaint === '' ? how : `${how}; the end of its stderr:\n${complaint.replaceAll(/^/gm, '  ')}`;
}

function describeExit({ code, signal }: ProcessExit): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? 'could not be started' : `ended with exit code ${code} before it was ready`;
}
