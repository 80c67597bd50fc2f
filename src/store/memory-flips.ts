import { KilldrillError, messageOf } from '../errors.ts';
import { chainHash } from '../flip-chain.ts';
import { parseFlip } from '../flip-text.ts';
import type { Flip, ReleaseFlip } from '../switch.ts';
import { refuseRed } from './memory-contract.ts';
import type { MemoryState, StoredEngagement, StoredFlip } from './memory-state.ts';
import { keepSignature } from './memory-signatures.ts';
import { plantSweeps } from './memory-sweep.ts';
import type { FlipOptions, FlipRecord, Head, RelayAnswer } from './store.ts';

/** Puts a flip at the end of the chain, or finds the one that its id already names; then tells the listeners. */
export function putFlip(
  state: MemoryState,
  text: string,
  signature: string | null,
  options: FlipOptions = {},
): StoredFlip {
  const flip = readFlip(state, text);
  const known = state.flipsById.get(flip.id);
  if (known !== undefined) return sameText(known, text);
  if (flip.kind === 'release') {
    refuseUnlessOpen(state, flip, options.again === true);
    refuseRed(state, flip, options);
  }
  const record = nextRecord(state, text, signature);
  const stored: StoredFlip = { id: flip.id, record, engagement: engagementFor(state, flip, record.revision) };
  state.flips.push(stored);
  state.flipTimes.set(record.revision, state.nowMs);
  state.flipsById.set(flip.id, stored);
  if (flip.kind === 'release') close(state, flip, record.revision);
  plantSweeps(state, record.revision, stored.engagement);
  tell(state, record);
  return stored;
}

/** Takes a stop that somebody holds already, or finds it. */
export function relayFlip(
  state: MemoryState,
  text: string,
  signature: string | null,
): Pick<RelayAnswer, 'kind' | 'revision' | 'release'> {
  const before = state.head.revision;
  const stored = putFlip(state, text, signature);
  const { record, engagement } = stored;
  if (record.revision > before) state.relayed.add(record.revision);
  else if (record.signature !== signature) keepSignature(state, stored, signature);
  const closedRevision = engagement?.closedRevision ?? null;
  const release = closedRevision === null ? null : (state.flips[closedRevision - 1]?.record ?? null);
  return { kind: closedRevision === null ? 'open' : 'closed', revision: record.revision, release };
}

/** The flips that are open stops, oldest first. */
export function openFlips(state: MemoryState): readonly FlipRecord[] {
  return state.flips.filter(({ engagement }) => engagement?.closedRevision === null).map(({ record }) => record);
}

/** How a head stands to the store's. */
export function compareHead(state: MemoryState, head: Head): 'equal' | 'prefix' | 'diverged' {
  const own = state.head;
  if (head.epoch !== own.epoch || head.revision > own.revision) return 'diverged';
  const there = head.revision === 0 ? '' : state.flips[head.revision - 1]?.record.hash;
  if (head.hash !== there) return 'diverged';
  return head.revision === own.revision ? 'equal' : 'prefix';
}

export function flipsAfter(state: MemoryState, revision: number): readonly FlipRecord[] {
  return state.flips.slice(revision).map(({ record }) => record);
}

/** @throws KilldrillError `FLIP_UNREADABLE`, `FLIP_NAMESPACE` */
export function readFlip(state: MemoryState, text: string): Flip {
  const flip = parseFlip(text);
  if (flip.namespace === state.namespace) return flip;
  throw new KilldrillError(
    'FLIP_NAMESPACE',
    `the flip is of namespace '${flip.namespace}', but this store answers for '${state.namespace}'`,
  );
}

/** A listener that throws may have missed a stop: it is lost, and hurts nobody else. */
function tell(state: MemoryState, record: FlipRecord): void {
  for (const listener of [...state.listeners]) {
    try {
      listener.onFlip(record);
    } catch (thrown) {
      state.listeners.delete(listener);
      listener.lost(new Error(`a listener for flips threw: ${messageOf(thrown)}`, { cause: thrown }));
    }
  }
}

function sameText(known: StoredFlip, text: string): StoredFlip {
  if (known.record.text === text) return known;
  throw new KilldrillError(
    'FLIP_ID_REUSED',
    `flip id '${known.id}' was used with another text at revision ${known.record.revision}; ids are unique for ever, take a new one`,
  );
}

function nextRecord(state: MemoryState, text: string, signature: string | null): FlipRecord {
  const { epoch, revision, hash } = state.head;
  return { epoch, revision: revision + 1, hash: chainHash(hash, epoch, revision + 1, text), text, signature };
}

function engagementFor(state: MemoryState, flip: Flip, openedRevision: number): StoredEngagement | null {
  if (flip.kind === 'release') return null;
  const { id, scope, target, mode, queue, drainMs } = flip;
  const drainUntilMs = drainMs === undefined ? null : state.nowMs + drainMs;
  const on = { scope, target };
  return { id, on, mode, queue, openedRevision, drainUntilMs, contract: state.contract, closedRevision: null };
}

function refuseUnlessOpen(state: MemoryState, release: ReleaseFlip, again: boolean): void {
  const wrong = [...new Set(release.engagements)].toSorted().flatMap((id) => {
    const engagement = state.flipsById.get(id)?.engagement ?? null;
    if (engagement === null) return [`'${id}' (unknown)`];
    return engagement.closedRevision === null || again
      ? []
      : [`'${id}' (closed at revision ${engagement.closedRevision})`];
  });
  if (wrong.length === 0) return;
  throw new KilldrillError(
    'ENGAGEMENT_NOT_OPEN',
    `the release names engagements that are not open: ${wrong.join(', ')}; name only those that are`,
  );
}

function close(state: MemoryState, release: ReleaseFlip, revision: number): void {
  for (const id of release.engagements) {
    const engagement = state.flipsById.get(id)?.engagement;
    if (engagement !== null && engagement !== undefined) engagement.closedRevision = revision;
  }
}
