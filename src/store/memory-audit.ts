import { KilldrillError } from '../errors.ts';
import type { AuditPage, AuditStore } from './audit-port.ts';
import { openFlips } from './memory-flips.ts';
import type { MemoryState } from './memory-state.ts';
import type { ReleaseProof, SignedHead } from './store.ts';

/** What was closed, and by what, since the newest signed head, or ever. */
export function releasesOf(state: MemoryState, proof: 'signed' | 'all'): ReleaseProof {
  const since = proof === 'all' ? null : newestSignedHead(state);
  const releases = state.flips.flatMap(({ record }) => {
    if (record.revision <= (since?.revision ?? 0)) return [];
    const closed = state.flips.filter(({ engagement }) => engagement?.closedRevision === record.revision);
    return closed.length === 0 ? [] : [{ ...record, closed: closed.map((stop) => stop.record) }];
  });
  return { since, releases };
}

function newestSignedHead(state: MemoryState): SignedHead | null {
  const { epoch } = state.head;
  const held = state.signedHeads.filter(
    (head) => head.epoch === epoch && state.flips[head.revision - 1]?.record.hash === head.hash,
  );
  return held.toSorted((one, other) => other.revision - one.revision)[0] ?? null;
}

/** The record of a memory store. */
export function memoryAudit(state: MemoryState, load: AuditStore['proof']): AuditStore {
  return {
    page: async (after, limit) => pageOf(state, after, limit),
    signedHeads: async (after, limit) => headsOf(state, after, limit),
    openIds: async (after, limit) =>
      openFlips(state)
        .map(({ revision }) => state.flips[revision - 1]?.id ?? '')
        .filter((id) => Buffer.compare(Buffer.from(id), Buffer.from(after)) > 0)
        .toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
        .slice(0, limit),
    proof: load,
    signHead: async (head) => signHead(state, head),
  };
}

function pageOf(state: MemoryState, after: number, limit: number): AuditPage {
  const flips = state.flips.slice(after, after + limit).map(({ id, record, engagement }) => ({
    ...record,
    ...{ id, kind: engagement === null ? 'release' : 'stop' },
    previousHash: state.flips[record.revision - 2]?.record.hash ?? '',
    signatures: state.moreSignatures.get(record.revision) ?? [],
  }));
  return { head: state.head, flips };
}

function headsOf(state: MemoryState, after: number, limit: number): readonly SignedHead[] {
  const heads = state.signedHeads
    .filter(({ revision }) => revision > after)
    .toSorted((one, other) => one.revision - other.revision);
  const last = heads[limit - 1];
  return last === undefined ? heads : heads.filter(({ revision }) => revision <= last.revision);
}

function signHead(state: MemoryState, head: SignedHead): void {
  const there = state.flips[head.revision - 1]?.record;
  if (there?.hash !== head.hash || there.epoch !== head.epoch) {
    throw new KilldrillError(
      'HEAD_UNKNOWN',
      `the chain of '${state.namespace}' has no flip with revision ${head.revision}, that epoch and that hash; sign a head that the store answered`,
    );
  }
  state.signedHeads.push(head);
}
