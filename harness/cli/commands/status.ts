import { systemClock } from '../../../src/clock.ts';
import { lastProvenMs } from '../../../src/control/canary.ts';
import { goneWorkers, shortPools } from '../../../src/control/present-workers.ts';
import { EffectivenessWatch } from '../../../src/control/effectiveness-watch.ts';
import type { StopState } from '../../../src/control/effectiveness.ts';
import { parseDuration } from '../../scenario/quantity.ts';
import { EXIT } from '../exit.ts';
import { signingOf } from '../flip-keys.ts';
import type { SigningFlags } from '../flip-keys.ts';
import { askerName, withOperator } from '../operator-connection.ts';
import type { AskerFlags, OperatorConnection, StoreFlags } from '../operator-connection.ts';
import { data, note } from '../output.ts';
import { prove } from '../prove.ts';
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
    return flown === null || flown.isProven ? EXIT.pass : EXIT.failed;
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
  const [gone, short] = [goneWorkers(fleet.workers), shortPools(fleet)];
  return { namespace, ...fleet, stops: states.flat(), lastProvenMs: lastProvenMs(fleet), gone, short };
}

function waitOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw usage(`--wait is '${text}'; expected a time, such as 30s`);
  return ms;
}
