import { Engagements, switchMatches } from '../../src/switch.ts';
import type { Engagement, Subject } from '../../src/switch.ts';
import { engagementOf, parseFlip } from '../../src/flip-text.ts';
import type { EventOf } from '../history/event.ts';
import { isCriticalCapability } from './critical-of.ts';
import { isOpenAfter } from './engagements-of.ts';
import type { StoreEngagement } from './engagements-of.ts';
import type { Stop } from './flips-of.ts';
import { subjectOf } from './in-scope.ts';
import type { DrillIndex } from './index-of.ts';
import { NS_PER_MS } from './span.ts';
import { admittedBefore, isCriticalStep } from './stop-reach.ts';
import { taskOfStep } from './task-of-step.ts';

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
 * Every intent that comes, by the store's own order, after flips under which the decision refuses it: a stop that covers it is
 * open, and lets pass neither what is critical nor, until its drain is over, what had been let in before.
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
    const engagement = refusing(index, open, intent);
    if (engagement !== null) refused.push({ intent, engagement });
  }
  return refused;
}

function apply(open: Engagements, text: string): void {
  const flip = parseFlip(text);
  if (flip.kind === 'stop') open.open(engagementOf(flip));
  else for (const id of flip.engagements) open.close(id);
}

function refusing(index: DrillIndex, open: Engagements, intent: IntentRow): Engagement | null {
  let found: Engagement | null = null;
  open.visitMatching(subjectOfIntent(index, intent), (engagement) => {
    const stored = index.engagements.find(({ id }) => id === engagement.id);
    if (stored === undefined || !passes(index, stored, intent)) found ??= engagement;
  });
  return found;
}

/** Whether an engagement that covers an intent lets it pass. */
function passes(index: DrillIndex, engagement: StoreEngagement, intent: IntentRow): boolean {
  const run = index.runs.get(intent.run) ?? null;
  const step = run === null ? null : stepOf(intent);
  if (engagement.mode === 'halt_noncritical') {
    if (isCriticalCapability(index.scenario.fleet.critical, intent.capability)) return true;
    return run !== null && isCriticalStep(index, run, step);
  }
  if (engagement.drainMs === null || run === null) return false;
  if (!admittedBefore(index, engagement, taskOfStep(index.runs, run, step).id)) return false;
  return intent.t0 <= engagement.atNs + drainLastsNs(index, engagement, intent.incarnation);
}

/** The step that an idempotency key names (`<run>/<step>`); null when it names none. */
function stepOf({ run, key }: IntentRow): number | null {
  const named = key.startsWith(`${run}/`) ? Number.parseInt(key.slice(run.length + 1), 10) : Number.NaN;
  return Number.isNaN(named) ? null : named;
}

/** A process drains from when it learnt of the stop, at the latest a budget after it; one that came up later from its start. */
function drainLastsNs(index: DrillIndex, { id, drainMs }: StoreEngagement, incarnation: string): number {
  const { connectedMs, cutMs } = index.scenario.expect.timeToStop;
  const stop = index.stops.find((one) => one.id === id);
  const life = [...index.incarnations.values()].find((one) => one.incarnation === incarnation);
  const lateNs = Math.max(0, (life?.readyNs ?? 0) - (stop?.durableNs ?? Number.POSITIVE_INFINITY));
  return (drainMs ?? 0) * NS_PER_MS + Math.max(connectedMs, cutMs) * NS_PER_MS + lateNs;
}

/** In-scope intents between a stop and the flip that closes it, by the store's order, that it does not let pass. */
export function intentsAfterStop(index: DrillIndex, stop: Stop): readonly IntentRow[] {
  const engagement = index.engagements.find(({ id }) => id === stop.id);
  if (engagement === undefined) return [];
  return index.intents.filter(
    (intent) =>
      isOpenAfter(engagement, intent.afterRevision) &&
      switchMatches(stop.on, subjectOfIntent(index, intent)) &&
      !passes(index, engagement, intent),
  );
}

/** In-scope intents before the stop, by the store's order. */
export function intentsBeforeStop(index: DrillIndex, stop: Stop): number {
  const before = index.intents.filter(({ afterRevision }) => afterRevision < stop.revision);
  return before.filter((intent) => switchMatches(stop.on, subjectOfIntent(index, intent))).length;
}
