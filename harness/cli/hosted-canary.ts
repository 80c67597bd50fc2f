import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { systemClock } from '../../src/clock.ts';
import { PeriodicCanary } from '../../src/control/periodic-canary.ts';
import type { CanaryStatus } from '../../src/control/periodic-canary.ts';
import { isSignedBy } from '../../src/ed25519.ts';
import type { EffectivenessStore } from '../../src/store/effectiveness-port.ts';
import { openCanaryTurns } from '../../src/store/postgres/canary-turns.ts';
import { openFlipStore } from '../../src/store/postgres/flip-store.ts';
import { formatDuration, parseDuration } from '../scenario/quantity.ts';
import type { Signing } from './flip-keys.ts';
import { usage } from './usage.ts';

/** Two flips a round: once a minute is 2,880 of them a day, each of which every worker fetches and nobody ever removes. */
const LEAST_MS = 60_000;
const MOST_MS = 86_400_000;

/**
 * How often canaries are to be flown, milliseconds; null for never.
 *
 * @throws KilldrillError `USAGE`
 */
export function canaryEvery(text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = parseDuration(text);
  if (ms !== null && ms >= LEAST_MS && ms <= MOST_MS) return ms;
  const range = `from ${formatDuration(LEAST_MS)} to ${formatDuration(MOST_MS)}`;
  throw usage(`--canary-every is '${text}'; expected a time ${range}, such as 10m (288 flips a day)`);
}

/**
 * Agents that know keys go on enforcing a canary whose release nobody signed who may.
 *
 * @throws KilldrillError `USAGE`
 */
export function checkCanarySigning(signing: Signing | null, knowsKeys: boolean): void {
  if (signing === null) {
    if (knowsKeys)
      throw usage('--canary-every releases what it stops, and agents know keys here; sign it with --key FILE');
    return;
  }
  const probe = 'killdrill canary';
  const signature = signing.sign(probe);
  const mayRelease = signing.keys.some(
    ({ right, publicKey }) => right === 'stop+release' && isSignedBy(Buffer.from(probe), signature, publicKey),
  );
  if (!mayRelease) {
    throw usage('--canary-every releases what it stops, and the key may only stop; give one of right stop+release');
  }
}

interface Host {
  readonly connectionString: string;
  readonly namespace: string;
  readonly fleet: Pick<EffectivenessStore, 'fleet'>;
  readonly sign: ((text: string) => string) | null;
  readonly vouch?: () => Promise<void>;
  readonly onError: (error: Error) => void;
}

export interface HostedCanary {
  status(): CanaryStatus;
  start(): void;
  /** Ends the round that is under way, by releasing its canary. */
  close(): Promise<void>;
}

/** Canaries from the API's process, on connections of their own: no stop waits behind one. */
export function openHostedCanary(everyMs: number, host: Host): HostedCanary {
  const { connectionString, namespace, fleet, sign, onError, vouch } = host;
  const [flips, turns] = [
    openFlipStore({ connectionString, namespace }),
    openCanaryTurns({ connectionString, namespace }),
  ];
  const by = `serve@${hostname()}`;
  const parts = {
    namespace,
    flips,
    turns,
    fleet,
    sign,
    by,
    everyMs,
    onError,
    ...(vouch === undefined ? {} : { vouch }),
  };
  const canary = new PeriodicCanary({ ...parts, clock: systemClock, newId: randomUUID });
  return {
    status: () => canary.status(),
    start: () => canary.start(),
    close: async () => {
      await canary.close();
      await Promise.all([flips.close(), turns.close()]);
    },
  };
}
