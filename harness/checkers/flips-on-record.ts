import { chainHash } from '../../src/flip-chain.ts';
import { parseFlip } from '../../src/flip-text.ts';
import type { Flip } from '../../src/switch.ts';
import type { Checker, Finding } from './checker.ts';
import { alertName } from './alerts-of.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { nameOf } from './flips-of.ts';
import type { DrillFlip } from './flips-of.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { leverRecord } from './lever-record.ts';
import { plannedFlip } from './stop-paths.ts';
import { inDoubt } from './stale-alert-ignored.ts';
import { missingTail } from './whole-history.ts';
import { journalWasRead } from './witness-of.ts';

/** What was acknowledged is on record, and nothing else is. */
export const flipsOnRecord: Checker = {
  name: 'flips_on_record',
  claim:
    'Every acknowledged flip is in the store as it was taken, also one whose answer was that it is not durable yet, revisions have no gap, the chain of hashes holds, and nobody else flipped: neither without being asked, nor for an alert that is stale or poison.',
  needs: 'record',
  seen: leverRecord,
  check(record) {
    const index = indexOf(record);
    if (index.flips.length === 0 && index.storeFlips.length === 0) return notApplicable('the drill flips nothing');
    if (!journalWasRead(index)) return inconclusive('the store read at the end', "the record has no store's head");
    const broken = missingTail(record) ?? brokenChain(index) ?? brokenRecord(index);
    return (
      broken ??
      pass(`${index.storeFlips.length} flips are on record, and the chain of hashes holds`, {
        flips: index.storeFlips.length,
      })
    );
  },
};

function brokenChain({ storeFlips, head }: DrillIndex): Finding | null {
  let previous = '';
  for (const [nth, { revision, epoch, hash, text }] of storeFlips.entries()) {
    if (revision !== nth + 1)
      return fail(`revision ${nth + 1} is missing: the store goes on with ${revision}`, { revision: nth + 1 });
    const expected = chainHash(previous, epoch, revision, text);
    if (hash !== expected)
      return fail(`the hash of revision ${revision} does not follow from its text`, { revision, hash, expected });
    previous = hash;
  }
  const last = storeFlips.at(-1);
  if (head === null || (head.revision === storeFlips.length && head.hash === previous)) return null;
  const reason = `the store's head is revision ${head.revision}, and its last flip is ${last?.revision ?? 0}`;
  return fail(head.revision === storeFlips.length ? "the hash of the store's head is not its last flip's" : reason, {
    revision: head.revision,
    hash: head.hash,
    expected: previous,
  });
}

function brokenRecord(index: DrillIndex): Finding | null {
  const stored = new Map<string, { readonly revision: number; readonly flip: Flip }>();
  const open = new Set<string>();
  const requested = new Set(index.flips.map(({ id }) => id));
  for (const { kind, flipId } of index.alerts.published) if (kind === 'sound' && flipId !== null) requested.add(flipId);
  for (const { revision, text } of index.storeFlips) {
    const flip = parseFlip(text);
    const evidence = { revision, id: flip.id, scope: nameOf(flip), kind: flip.kind };
    if (stored.has(flip.id)) return fail(`revision ${revision} has the id of an earlier flip, '${flip.id}'`, evidence);
    stored.set(flip.id, { revision, flip });
    const unasked = requested.has(flip.id) ? null : unaskedBy(index, flip);
    if (unasked !== null) return fail(`revision ${revision} is a ${flip.kind} of ${nameOf(flip)} ${unasked}`, evidence);
    const unopened = flip.kind === 'release' ? flip.engagements.find((id) => !open.has(id)) : undefined;
    if (unopened !== undefined)
      return fail(`the release at revision ${revision} closes '${unopened}', which is not open`, evidence);
    if (flip.kind === 'stop') open.add(flip.id);
    else for (const id of flip.engagements) open.delete(id);
  }
  for (const asked of index.flips) {
    const there = stored.get(asked.id);
    const found = misrecorded(asked, there) ?? otherDrain(index, asked, there?.flip);
    if (found !== null) return found;
  }
  return null;
}

/** Why nobody may have asked for a flip; null when that is in doubt, as with a stale alert while the store was away. */
function unaskedBy(index: DrillIndex, { id }: Flip): string | null {
  const alert = index.alerts.published.find(({ flipId }) => flipId === id);
  if (alert === undefined) return 'that nobody requested';
  const engagement = index.engagements.find((one) => one.id === id);
  if (alert.kind === 'stale' && engagement !== undefined && inDoubt(index, alert, engagement) !== null) return null;
  return `that ${alertName(alert)} may not have`;
}

function misrecorded(
  asked: DrillFlip,
  stored: { readonly revision: number; readonly flip: Flip } | undefined,
): Finding | null {
  if (asked.answer !== 'acknowledged' && asked.answer !== 'provisional') return null;
  const evidence = {
    flip: asked.flip,
    revision: asked.revision,
    id: asked.id,
    scope: nameOf(asked.on),
    kind: asked.kind,
  };
  const how = asked.revision === null ? 'taken for the time being' : `acknowledged as revision ${asked.revision}`;
  const what = `the ${asked.kind} of ${nameOf(asked.on)} ${how}`;
  if (stored === undefined) return fail(`${what} is not in the store`, evidence);
  const { revision, flip } = stored;
  if (asked.revision !== null && revision !== asked.revision)
    return fail(`${what} is revision ${revision} in the store`, { ...evidence, stored: revision });
  const mode = flip.kind === 'stop' ? flip.mode : null;
  const same =
    flip.kind === asked.kind && flip.scope === asked.on.scope && flip.target === asked.on.target && mode === asked.mode;
  if (same) return otherEffect(asked, flip, what, evidence);
  const found = `a ${flip.kind} of ${nameOf(flip)}${mode === null ? '' : ` in mode ${mode}`}`;
  return fail(`${what} is ${found} in the store`, { ...evidence, stored: found });
}

/** A stop that drains for another time than the timeline says: every other property goes by what the store says of it. */
function otherDrain(index: DrillIndex, { flip: nth, kind, on }: DrillFlip, stored: Flip | undefined): Finding | null {
  const planned = plannedFlip(index, nth);
  if (kind !== 'stop' || stored?.kind !== 'stop' || planned?.kind !== 'flip') return null;
  const [said, there] = [planned.drainMs, stored.drainMs ?? null];
  if (said === there) return null;
  const reason = `the stop of ${nameOf(on)} was to drain for ${said ?? 0} ms, and by the store it drains for ${there ?? 0} ms`;
  return fail(reason, { flip: nth, id: stored.id, scope: nameOf(on), kind, said, stored: there });
}

/** A stop that treats the queue otherwise, or a release that closes others than it named. */
function otherEffect(asked: DrillFlip, flip: Flip, what: string, evidence: Finding['evidence']): Finding | null {
  const said = asked.kind === 'stop' ? (asked.queue ?? '') : asked.engagements.toSorted().join(', ');
  const there =
    flip.kind === 'stop'
      ? flip.mode === 'halt_noncritical'
        ? 'park'
        : flip.queue
      : flip.engagements.toSorted().join(', ');
  if (said === there) return null;
  const about = asked.kind === 'stop' ? 'was to treat the queue by' : 'was to close';
  return fail(`${what} ${about} '${said}', and by the store it is '${there}'`, { ...evidence, said, stored: there });
}
