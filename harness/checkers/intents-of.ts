import { Engagements, decide } from '../../src/switch.ts';
import type { Engagement, Subject } from '../../src/switch.ts';
import { engagementOf, parseFlip } from '../../src/flip-text.ts';
import { switchMatches } from '../../src/switch.ts';
import type { EventOf } from '../history/event.ts';
import type { Stop } from './flips-of.ts';
import { subjectOf } from './in-scope.ts';
import type { DrillIndex } from './index-of.ts';

type IntentRow = EventOf<'store.intent'>;

/** An intent that was admitted where the decision refuses it. */
export interface RefusedIntent {
  readonly intent: IntentRow;
  readonly engagement: Engagement;
}

/** Who an intent is for: by the trace's word where it knows the run, since a worker wrote the row. */
export function subjectOfIntent(index: DrillIndex, intent: IntentRow): Subject {
  const run = index.runs.get(intent.run);
  if (run !== undefined) return subjectOf(run, intent.capability);
  const { tenant, feature, agent, lineage, capability } = intent;
  return { tenant, feature, agent, run: intent.run, lineage, capability };
}

/**
 * Every intent that comes, by the store's own order, after flips under which `decide` refuses it.
 *
 * @throws KilldrillError `FLIP_UNREADABLE` when a stored flip cannot be read.
 */
export function refusedIntents(index: DrillIndex): readonly RefusedIntent[] {
  const intents = index.intents.toSorted((one, other) => one.afterRevision - other.afterRevision);
  const open = new Engagements();
  const refused: RefusedIntent[] = [];
  let next = 0;
  for (const intent of intents) {
    for (
      let flip = index.storeFlips[next];
      flip !== undefined && flip.revision <= intent.afterRevision;
      flip = index.storeFlips[next]
    ) {
      apply(open, flip.text);
      next += 1;
    }
    const decision = decide(open, subjectOfIntent(index, intent));
    if (decision.kind === 'halt') refused.push({ intent, engagement: decision.engagement });
  }
  return refused;
}

function apply(open: Engagements, text: string): void {
  const flip = parseFlip(text);
  if (flip.kind === 'stop') open.open(engagementOf(flip));
  else for (const id of flip.engagements) open.close(id);
}

/** In-scope intents between a stop and the flip that closes it, by the store's order. */
export function intentsAfterStop(index: DrillIndex, stop: Stop): readonly IntentRow[] {
  const closedAt = closingRevision(index, stop);
  return index.intents.filter((intent) => {
    if (intent.afterRevision < stop.revision || intent.afterRevision >= closedAt) return false;
    return switchMatches(stop.on, subjectOfIntent(index, intent));
  });
}

/** In-scope intents before the stop, by the store's order. */
export function intentsBeforeStop(index: DrillIndex, stop: Stop): number {
  const before = index.intents.filter(({ afterRevision }) => afterRevision < stop.revision);
  return before.filter((intent) => switchMatches(stop.on, subjectOfIntent(index, intent))).length;
}

function closingRevision(index: DrillIndex, stop: Stop): number {
  for (const { revision, text } of index.storeFlips) {
    const flip = parseFlip(text);
    if (revision > stop.revision && flip.kind === 'release' && flip.engagements.includes(stop.id)) return revision;
  }
  return Number.POSITIVE_INFINITY;
}
