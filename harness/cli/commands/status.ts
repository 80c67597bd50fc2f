import { randomUUID } from 'node:crypto';
import { systemClock } from '../../../src/clock.ts';
import { flyCanary, lastProvenMs } from '../../../src/control/canary.ts';
import type { CanaryResult } from '../../../src/control/canary.ts';
import { EffectivenessWatch } from '../../../src/control/effectiveness-watch.ts';
import type { StopState } from '../../../src/control/effectiveness.ts';
import { parseDuration } from '../../scenario/quantity.ts';
import { EXIT } from '../exit.ts';
import { signingOf } from '../flip-keys.ts';
import type { SigningFlags } from '../flip-keys.ts';
import { askerName, withOperator } from '../operator-connection.ts';
import type { AskerFlags, OperatorConnection, StoreFlags } from '../operator-connection.ts';
import { data, note } from '../output.ts';
import { statusText } from '../status-text.ts';
import type { Status } from '../status-text.ts';
import { usage } from '../usage.ts';

export interface StatusFlags extends StoreFlags, SigningFlags, Pick<AskerFlags, 'by'> {
  readonly wait?: string;
  readonly prove?: boolean;
  readonly json?: boolean;
}

/** Open stops that are looked at; of more, the newest. */
const MOST_STOPS = 50;

/** `killdrill status`: what is stopped, how far each stop has come, and who is there. */
export async function status(flags: StatusFlags): Promise<number> {
  const waitMs = flags.wait === undefined ? 0 : waitOf(flags.wait);
  return withOperator(flags, async (connection) => {
    const flown =
      flags.prove === true ? await prove(connection, askerName(flags), signingOf(flags)?.sign ?? null) : null;
    const found = await look(connection, waitMs);
    data(flags.json === true ? JSON.stringify(found, null, 2) : statusText(found));
    const pending = found.stops.filter(({ state }) => state === 'pending');
    if (flags.wait !== undefined && pending.length > 0) {
      note(`not effective within ${flags.wait}: ${pending.map(({ id }) => id).join(', ')}`);
      return EXIT.failed;
    }
    return flown === null || (flown.silent.length === 0 && flown.refused.length > 0) ? EXIT.pass : EXIT.failed;
  });
}

async function look({ namespace, flips, effectiveness }: OperatorConnection, waitMs: number): Promise<Status> {
  const watch = new EffectivenessWatch({ store: effectiveness, clock: systemClock });
  const open = (await flips.openEngagements()).slice(-MOST_STOPS);
  const untilMs = systemClock.monotonicMs() + waitMs;
  // All at once: each is counted from when this command first saw it.
  const states = await Promise.all(
    open.map(async ({ flip }) => {
      let last: StopState | null = null;
      const withinMs = Math.max(0, untilMs - systemClock.monotonicMs());
      for await (const state of watch.watch(flip.id, { withinMs })) last = state;
      return last === null ? [] : [{ ...last, flip }];
    }),
  );
  const fleet = await effectiveness.fleet();
  return { namespace, ...fleet, stops: states.flat(), lastProvenMs: lastProvenMs(fleet) };
}

async function prove(
  { namespace, flips, effectiveness }: OperatorConnection,
  by: string,
  sign: ((text: string) => string) | null,
): Promise<CanaryResult> {
  const parts = { namespace, flips, fleet: effectiveness, clock: systemClock, newId: randomUUID };
  const flown = await flyCanary({ ...parts, by, sign });
  const silent = flown.silent.length === 0 ? '' : `; these have not: ${flown.silent.join(', ')}`;
  note(`canary at revision ${flown.revision}: ${flown.refused.length} workers refused it${silent}`);
  if (flown.releaseError !== null) {
    note(`its release was not taken (${flown.releaseError}); release agent killdrill-canary by hand, it stops nobody`);
  }
  return flown;
}

function waitOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw usage(`--wait is '${text}'; expected a time, such as 30s`);
  return ms;
}
