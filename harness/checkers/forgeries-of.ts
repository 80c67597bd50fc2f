import type { Forgery, ForgeryFacts } from '../history/forgery.ts';
import type { Finding } from './checker.ts';
import { inconclusive } from './finding.ts';
import type { Stop } from './flips-of.ts';
import { coversSomeStep } from './in-scope.ts';
import type { DrillIndex } from './index-of.ts';

/** One forgery with the answer to it. */
export interface TriedForgery extends ForgeryFacts {
  readonly sentNs: number;
  /** Null when there was none. */
  readonly answer: { readonly ok: boolean; readonly code: string | null } | null;
}

/** Every forgery of the drill, in order. */
export function forgeriesOf({ record }: DrillIndex): readonly TriedForgery[] {
  const tried = new Map<number, TriedForgery>();
  for (const event of record.events) {
    if (event.type === 'forgery.sent') {
      const { forgery, manner, path, scope, target, engagements, id, t0: sentNs } = event;
      tried.set(forgery, { forgery, manner, path, scope, target, engagements, id, sentNs, answer: null });
    } else if (event.type === 'forgery.answered') {
      const asked = tried.get(event.forgery);
      if (asked !== undefined) tried.set(event.forgery, { ...asked, answer: { ok: event.ok, code: event.code } });
    }
  }
  return [...tried.values()];
}

/** The stops that were in force, and known to everybody, while the forgeries were tried. */
export function forgedStops({ stops }: DrillIndex, forgeries: readonly TriedForgery[]): readonly Stop[] {
  return stops.filter((stop) =>
    forgeries.some(
      ({ scope, target, sentNs }) =>
        stop.on.scope === scope &&
        stop.on.target === target &&
        stop.durableNs < sentNs &&
        (stop.releaseNs === null || stop.releaseNs > sentNs),
    ),
  );
}

/** A worker that was told of these says that it refused them. A replayed one is genuine, and lifts nothing by its place alone. */
const REFUSABLE: ReadonlySet<Forgery> = new Set(['unsigned', 'stranger', 'stop-key', 'foreign']);

/** Whether each worker has seen what was sent to it, by its own word: nothing else is judged by that. */
export function missingReceipt(index: DrillIndex, forgeries: readonly TriedForgery[]): Finding | null {
  const notified = forgeries.filter(({ path, manner }) => path === 'notify' && REFUSABLE.has(manner));
  const refused = new Set<string>();
  for (const event of index.record.events) {
    if (event.type === 'worker.said' && event.said['event'] === 'refused') {
      refused.add(`${event.worker} ${String(event.said['id'])}`);
    }
  }
  for (const worker of index.workers) {
    const unseen = notified.find(({ id }) => !refused.has(`${worker} ${id}`));
    if (unseen === undefined) continue;
    const { forgery, manner } = unseen;
    const reason = `${worker} did not say that it refused the ${manner} release of forgery ${forgery}`;
    return inconclusive('forged releases that every worker has seen', reason, { worker, forgery, manner });
  }
  return null;
}

/** How many runs with work in scope of a stop became due after the first forgery: agents that would have gone on. */
export function temptedRuns(index: DrillIndex, stop: Stop, fromNs: number): number {
  const untilNs = stop.releaseNs ?? index.arrivalsEndNs;
  return index.due.filter(({ run, atNs }) => atNs > fromNs && atNs < untilNs && coversSomeStep(stop.on, run)).length;
}

/** Whether a forgery names what a stop has opened. */
export function isAgainst({ scope, target }: TriedForgery, stop: Stop): boolean {
  return stop.on.scope === scope && stop.on.target === target;
}
