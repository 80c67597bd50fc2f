import type { EventOf } from '../history/event.ts';
import type { Checker, Finding } from './checker.ts';
import { stopEvidence } from './exposure.ts';
import { fail, inconclusive, pass } from './finding.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import { sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { NS_PER_MS, overlaps, toMs } from './span.ts';
import { livedThrough } from './workers-of.ts';
import type { Incarnation } from './workers-of.ts';

/** By when a worker has written its snapshot and told its hooks, milliseconds from the request. */
const WITHIN_MS = 5000;

type Said = EventOf<'worker.said'>;

/** `emergency`: every worker that lives says so, with its snapshot. What it says is a claim, so only its absence is decisive. */
export function checkEmergency(index: DrillIndex, stop: Stop): ReturnType<Checker['check']> {
  const lives = [...index.incarnations.values()].filter((life) =>
    livedThrough(life, stop.requestNs, deadlineNs(index, stop, life)),
  );
  const said = index.record.events.filter((event): event is Said => isAbout(event, stop));
  const evidence = stopEvidence(stop);
  if (said.length === 0 && index.scenario.fleet.command !== null)
    return inconclusive('workers that speak of emergencies', 'none of them does (not instrumented)', evidence);
  for (const life of lives) {
    const broken = silentOrLate(index, stop, life, said);
    if (broken !== null) return broken;
  }
  if (lives.length === 0)
    return inconclusive(
      `a worker that lived for ${WITHIN_MS / 1000} s after the stop`,
      'none did before the drill ended',
      evidence,
    );
  const slowest = Math.max(...said.map(({ t0 }) => toMs(t0 - stop.requestNs)));
  return pass(`${lives.length} workers wrote a snapshot and said so, the last after ${Math.round(slowest)} ms`, {
    ...evidence,
    workers: lives.map(({ worker }) => worker),
    slowestMs: slowest,
  });
}

function isAbout(event: DrillIndex['record']['events'][number], { revision }: Stop): boolean {
  return event.type === 'worker.said' && event.said['event'] === 'emergency' && event.said['revision'] === revision;
}

/** A worker that a declared fault kept from hearing of it gets its time from the fault's end. */
function deadlineNs({ faults }: DrillIndex, { requestNs, durableNs }: Stop, { worker }: Incarnation): number {
  const span = { fromNs: requestNs, toNs: durableNs + WITHIN_MS * NS_PER_MS };
  const inTheWay = faults.filter(
    (fault) => (fault.target === worker || fault.target === 'postgres') && overlaps(fault, span),
  );
  return Math.max(requestNs, ...inTheWay.map(({ toNs }) => toNs)) + WITHIN_MS * NS_PER_MS;
}

function silentOrLate(index: DrillIndex, stop: Stop, life: Incarnation, said: readonly Said[]): Finding | null {
  const mine = said.find(({ channel }) => channel === life.channel);
  const evidence = { ...stopEvidence(stop), worker: life.worker, withinMs: WITHIN_MS };
  const what = `the emergency of ${nameOf(stop.on)}`;
  if (mine === undefined) return fail(`${life.worker} never spoke of ${what}`, evidence);
  const afterMs = Math.round(toMs(mine.t0 - stop.requestNs));
  if (mine.t0 > deadlineNs(index, stop, life))
    return fail(`${life.worker} spoke of ${what} ${afterMs} ms after it; ${WITHIN_MS} ms are allowed`, {
      ...evidence,
      saidAtMs: sinceT0(index, mine.t0),
    });
  if (typeof mine.said['snapshot'] === 'string') return null;
  return fail(`${life.worker} wrote no snapshot in ${what}`, { ...evidence, said: mine.said });
}
