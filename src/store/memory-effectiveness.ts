import { KilldrillError } from '../errors.ts';
import { UNCONFIRMED } from '../call.ts';
import { modeStops, queuePolicyOf, switchMatches } from '../switch.ts';
import type {
  EffectivenessStore,
  FleetFacts,
  Inventory,
  OpenIntent,
  RegisteredWorker,
  StopFacts,
  WorkerReports,
} from './effectiveness-port.ts';
import { onRecord } from './memory-record.ts';
import { journalKey } from './memory-state.ts';
import type { MemoryState, StoredEngagement, StoredIntent, StoredWorker } from './memory-state.ts';

/** A worker's half of a memory store; each handle is another process. */
export function memoryReports(state: MemoryState): WorkerReports {
  const owner = {};
  const own = (incarnation: string): StoredWorker | null => {
    const stored = state.workers.get(incarnation);
    return stored === undefined || stored.owner !== owner || stored.ended ? null : stored;
  };
  return {
    register: async (identity) => {
      const stored = state.workers.get(identity.incarnation);
      if (stored === undefined) {
        const fresh = { ended: false, number: 0, report: null, reportedMs: null, canaryMs: null };
        state.workers.set(identity.incarnation, { identity, owner, registeredMs: state.nowMs, ...fresh });
      } else if (stored.owner === owner) stored.ended = false;
      else {
        throw new KilldrillError(
          'WORKER_TAKEN',
          `incarnation '${identity.incarnation}' is registered by another process; an incarnation is one life of one worker`,
        );
      }
    },
    report: async (incarnation, number, report) => {
      const stored = own(incarnation);
      if (stored === null) return false;
      if (number <= stored.number) return true;
      if (report.canary !== (stored.report?.canary ?? null)) stored.canaryMs = state.nowMs;
      Object.assign(stored, { number, report, reportedMs: state.nowMs });
      return true;
    },
    deregister: async (incarnation) => {
      const stored = own(incarnation);
      if (stored !== null) stored.ended = true;
    },
  };
}

/** The observer's half of a memory store. It holds one namespace, so that nobody is ever elsewhere. */
export function memoryEffectiveness(state: MemoryState): EffectivenessStore {
  return {
    fleet: async () => fleetFacts(state),
    stopFacts: async (id) => stopFacts(state, id),
    declareInventory: async (inventory, asker) =>
      onRecord(state, 'inventory', asker, inventory, () => {
        refuseEmpty(inventory);
        state.inventory = inventory;
      }),
    closeIntent: async (named, asker) =>
      onRecord(state, 'intent', asker, named, () => closeIntent(state, named.incarnation, named.seq)),
  };
}

function fleetFacts(state: MemoryState): FleetFacts {
  const workers = [...state.workers.values()].filter(({ ended }) => !ended).map((stored) => registered(state, stored));
  return { head: state.head, workers: workers.toSorted(byName), inventory: state.inventory, elsewhere: [] };
}

function stopFacts(state: MemoryState, id: string): StopFacts | null {
  const engagement = state.flipsById.get(id)?.engagement ?? null;
  if (engagement === null) return null;
  const fleet = fleetFacts(state);
  const { on, mode, openedRevision, closedRevision } = engagement;
  const silent = new Set(
    [...state.workers.values()].filter(({ ended }) => ended).map((one) => one.identity.incarnation),
  );
  for (const one of fleet.workers) if (hasConfirmed(one, engagement)) silent.add(one.incarnation);
  const drains = queuePolicyOf(engagement) === 'drain';
  return {
    ...fleet,
    stop: { id, revision: openedRevision, ...on, mode, drains, closedRevision },
    openIntents: [...state.intents.values()]
      .filter(
        (stored) => !silent.has(stored.incarnation) && isOpen(state, stored) && isInScope(state, engagement, stored),
      )
      .map((stored) => openIntent(state, stored)),
    unread: [],
  };
}

function hasConfirmed({ appliedThrough, busy }: RegisteredWorker, { id, openedRevision }: StoredEngagement): boolean {
  return appliedThrough !== null && appliedThrough >= openedRevision && busy !== null && !busy.includes(id);
}

function registered(state: MemoryState, stored: StoredWorker): RegisteredWorker {
  const { identity, report, registeredMs, reportedMs, canaryMs } = stored;
  const ago = (ms: number | null): number | null => (ms === null ? null : state.nowMs - ms);
  const canary = report?.canary ?? null;
  return {
    ...identity,
    registeredAgoMs: state.nowMs - registeredMs,
    reportedAgoMs: ago(reportedMs),
    admittedAgoMs: ago(admittedMs(state, identity.incarnation)),
    appliedThrough: report !== null && isOnChain(state, report.head) ? report.head.revision : null,
    busy: report === null ? [] : report.busy,
    inFlight: report?.inFlight ?? 0,
    canary: canary === null ? null : { revision: canary, agoMs: ago(canaryMs) ?? 0 },
  };
}

function admittedMs(state: MemoryState, incarnation: string): number | null {
  const own = [...state.intents.values()].filter((stored) => stored.incarnation === incarnation);
  return own.at(-1)?.atMs ?? null;
}

function isOnChain(state: MemoryState, { epoch, revision, hash }: StopFacts['head']): boolean {
  if (epoch !== state.head.epoch) return false;
  return revision === 0 || state.flips[revision - 1]?.record.hash === hash;
}

function byName(one: RegisteredWorker, other: RegisteredWorker): number {
  const [a, b] = [`${one.worker} ${one.incarnation}`, `${other.worker} ${other.incarnation}`];
  return a < b ? -1 : Number(a > b);
}

function isOpen(state: MemoryState, { incarnation, intent }: StoredIntent): boolean {
  const key = journalKey(incarnation, intent.seq);
  const outcome = state.outcomes.get(key)?.outcome;
  const settled = outcome !== undefined && !(outcome.kind === 'unknown' && outcome.detail === UNCONFIRMED);
  return !settled && !state.closedIntents.has(key);
}

/** A drain's end is the worker's word, so that here it stops everything that it covers. */
function isInScope(state: MemoryState, { on, mode }: StoredEngagement, { intent }: StoredIntent): boolean {
  const critical = intent.claim !== null && state.tasks.get(intent.claim.task)?.critical === true;
  const subject = { ...intent, critical };
  return switchMatches(on, subject) && modeStops(mode, subject, state.critical.capabilities);
}

function openIntent(state: MemoryState, { incarnation, intent, atMs }: StoredIntent): OpenIntent {
  const { seq, run, capability, deadlineMs } = intent;
  return { incarnation, seq, run, capability, deadlineMs, isPastDeadline: state.nowMs > atMs + deadlineMs };
}

function closeIntent(state: MemoryState, incarnation: string, seq: number): boolean {
  const stored = state.intents.get(journalKey(incarnation, seq));
  if (stored === undefined) {
    throw new KilldrillError('INTENT_UNKNOWN', `there is no intent ${seq} of incarnation '${incarnation}' here`);
  }
  if (state.nowMs < stored.atMs + stored.intent.deadlineMs) {
    throw new KilldrillError(
      'INTENT_NOT_DUE',
      `the deadline of intent ${seq} of incarnation '${incarnation}' has not passed; wait for it`,
    );
  }
  if (!isOpen(state, stored)) return state.closedIntents.has(journalKey(incarnation, seq));
  state.closedIntents.add(journalKey(incarnation, seq));
  return true;
}

function refuseEmpty({ pools }: Inventory): void {
  const named = Object.entries(pools);
  const wrong = named.find(([pool, count]) => pool === '' || !Number.isInteger(count) || count < 1 || count > 999_999);
  if (named.length > 0 && wrong === undefined) return;
  const found = wrong === undefined ? 'it names no pool' : `pool '${wrong[0]}' has ${wrong[1]} workers`;
  throw new KilldrillError(
    'INVENTORY_INVALID',
    `the inventory is refused: ${found}; expected pools with a count above 0`,
  );
}
