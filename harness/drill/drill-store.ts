import type { AuditStore } from '../../src/store/audit-port.ts';
import { openAuditStore } from '../../src/store/postgres/audit-store.ts';
import type { EffectivenessStore } from '../../src/store/effectiveness-port.ts';
import { openEffectivenessStore } from '../../src/store/postgres/effectiveness-store.ts';
import { openFlipStore } from '../../src/store/postgres/flip-store.ts';
import type { Opened } from '../../src/store/postgres/flip-source.ts';
import { openOperatorStore } from '../../src/store/postgres/operator-store.ts';
import { resolveStoreOptions } from '../../src/store/postgres/options.ts';
import type { StoreTimings } from '../../src/store/postgres/options.ts';
import { Session } from '../../src/store/postgres/session.ts';
import type { FlipStore, OperatorStore } from '../../src/store/store.ts';
import type { Credentials, DrillDatabase } from '../environment/environment.ts';
import type { ConnectTarget } from '../environment/proxy.ts';
import type { ForgersWays } from '../conductor/forger.ts';
import type { DrillFlipKeys } from './flip-keys.ts';
import { forgersWays } from './forgers-ways.ts';
import { storeUrl } from './store-address.ts';

/** The drill's own connections to its store, one for each right that it uses. They need no proxy, and are made when needed. */
export interface DrillStore {
  /** The owner's, for what no fleet may do: the witness of the queue, probes, what a mutant plants. */
  readonly owner: Session;
  readonly flips: FlipStore;
  readonly operator: OperatorStore;
  readonly effectiveness: EffectivenessStore;
  /** The operator's, for the long look at the end. */
  readonly patient: OperatorStore;
  readonly audit: AuditStore;
  /** What whoever has the fleet's login can do. */
  readonly forger: ForgersWays;
  /** Who flips in this drill. */
  readonly keys: DrillFlipKeys;
  close(): Promise<void>;
}

/** The ledger of a long drill takes its time, milliseconds. */
const PATIENT: Partial<StoreTimings> = { statementMs: 20_000, answerMs: 22_000 };

export function openDrillStore(target: ConnectTarget, database: DrillDatabase, keys: DrillFlipKeys): DrillStore {
  const as = (login: Credentials) => ({
    connectionString: storeUrl(target, login, database.name),
    namespace: database.name,
  });
  const owner = new Session('drill', resolveStoreOptions(as(database.owner)));
  const flips = openFlipStore(as(database.flipper));
  const operator = openOperatorStore(as(database.flipper));
  const effectiveness = openEffectivenessStore(as(database.flipper));
  const patient = openOperatorStore({ ...as(database.flipper), timings: PATIENT });
  const audit = openAuditStore(as(database.flipper));
  const forger = forgersWays(storeUrl(target, database.worker, database.name), database.name);
  const opened: readonly Pick<Opened<unknown>, 'close'>[] = [
    ...[owner, flips, operator, effectiveness, patient, audit, forger],
  ];
  const close = async (): Promise<void> => void (await Promise.all(opened.map((one) => one.close())));
  return { owner, flips, operator, effectiveness, patient, audit, forger, keys, close };
}
