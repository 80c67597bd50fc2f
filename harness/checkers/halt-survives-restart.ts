import type { Checker, Finding } from './checker.ts';
import type { WitnessedEffect } from './effects-of.ts';
import { countEffects } from './effects-after.ts';
import { dueInScope, hasWorkLeft, noStop, stopEvidence } from './exposure.ts';
import { thingOf } from './faults-of.ts';
import type { FaultWindow } from './faults-of.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { firstWorst } from './first-worst.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import { indexOf, sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { overlaps, toMs } from './span.ts';
import { closedByNobody } from './still-open.ts';
import { heldFromNs } from './stop-reach.ts';
import { needsWholeHistory } from './whole-history.ts';
import { effectAgainst, effectName, journalWasRead } from './witness-of.ts';
import type { Incarnation } from './workers-of.ts';

/** A stop outlives the processes that were told of it. */
export const haltSurvivesRestart: Checker = {
  name: 'halt_survives_restart',
  claim:
    'When a worker, an executor, the API, PostgreSQL or Kafka is killed or restarted while a stop is on, neither the new incarnation nor the fleet after the return sends anything in scope until the release, and by the store nothing but that release closes the stop; a stop that was taken while the store was away gets there, whatever becomes of its taker.',
  check(record) {
    const index = indexOf(record);
    const nothing = noStop(index) ?? needsWholeHistory(record);
    const restarts = restartsIn(index).map(({ stop, fault }) => checkRestart(index, stop, fault));
    return lostStop(index) ?? nothing ?? firstWorst(restarts, NONE);
  },
};

const NONE = notApplicable('no worker, no executor, no API, no PostgreSQL and no Kafka came back while a stop was on');

interface Restart {
  readonly stop: Stop;
  readonly fault: FaultWindow;
}

/** A stop that was taken for the time being, and that the store never got: then the fault that its taker was to survive. */
function lostStop(index: DrillIndex): Finding | null {
  if (!journalWasRead(index)) return null;
  for (const { provisionalNs, answer, id, on, flip } of index.flips) {
    if (provisionalNs === null || answer !== 'provisional') continue;
    if (index.engagements.some((engagement) => engagement.id === id)) continue;
    const fault = index.faults.find((one) => isEnd(one) && one.toNs > provisionalNs);
    if (fault === undefined) continue;
    const { kind, target } = fault;
    const reason = `the stop of ${nameOf(on)}, which was taken for the time being, is not in the store after the ${kind} of ${target}`;
    return fail(reason, { flip, id, scope: nameOf(on), fault: fault.fault, kind, target });
  }
  return null;
}

function isEnd({ kind, missing }: FaultWindow): boolean {
  return (kind === 'kill' || kind === 'restart') && !missing.includes('fault.injected');
}

/** Faults that end a process which then comes back, by the stop that was on. One that lasts until the end brings nothing back. */
function restartsIn(index: DrillIndex): readonly Restart[] {
  const faults = index.faults.filter((fault) => isEnd(fault) && fault.recovered);
  return index.stops.flatMap((stop) =>
    faults.flatMap((fault) => {
      const on = { fromNs: stop.requestNs, toNs: untilNs(index, stop) };
      // Whose API is gone when the release is asked for has to wait for it, and the stop is over by its return.
      const isForRelease = thingOf(fault) === 'api' && fault.recoveryNs >= on.toNs;
      return overlaps(fault, on) && fault.toNs > stop.requestNs && !isForRelease ? [{ stop, fault }] : [];
    }),
  );
}

function untilNs(index: DrillIndex, { releaseNs }: Stop): number {
  return releaseNs ?? index.arrivalsEndNs;
}

function checkRestart(index: DrillIndex, stop: Stop, fault: FaultWindow): Finding {
  const evidence = { ...stopEvidence(stop), fault: fault.fault, kind: fault.kind, target: fault.target };
  const isWorker = thingOf(fault) === 'worker';
  const lives = isWorker ? livesSince(index, stop, fault) : [];
  const sent = isWorker ? sentBy(index, stop, lives) : sentSince(index, stop, fault);
  if (sent !== null) {
    const later = Math.round(toMs(sent.t0 - stop.requestNs));
    const since = isWorker ? `from the incarnation that came up in its stead` : `once ${called(fault)} was back`;
    const reason = `${effectName(sent)} arrived ${since}, ${later} ms after the stop of ${nameOf(stop.on)} was requested`;
    return fail(reason, { ...effectAgainst(sent, stop), ...evidence });
  }
  return closedByNobody(index, stop, evidence) ?? seenBack(index, { stop, fault }, lives, evidence);
}

/** Whether it came back with its stops shows in the store only. */
const KEEPS_STOPS: ReadonlySet<string> = new Set(['executor', 'kafka', 'api']);

function called({ target }: FaultWindow): string {
  return { postgres: 'PostgreSQL', kafka: 'Kafka', api: 'the API' }[target] ?? target;
}

/** What the drill owes: it came back in time, with work in scope left to be sent, and the store was asked. */
function seenBack(
  index: DrillIndex,
  { stop, fault }: Restart,
  lives: readonly Incarnation[],
  evidence: Finding['evidence'],
): Finding {
  const thing = thingOf(fault);
  const backNs = backAt(index, fault, lives);
  if (backNs >= untilNs(index, stop)) {
    const what = {
      worker: 'an incarnation ready',
      executor: 'an executor ready again',
      api: 'an API that takes requests again',
      postgres: 'PostgreSQL back',
      kafka: 'Kafka back',
      'state-file': 'the state file back',
    };
    return inconclusive(
      `${what[thing]} while the stop was on`,
      `${fault.target} came back after its end, or not at all`,
      evidence,
    );
  }
  if (KEEPS_STOPS.has(thing) && !journalWasRead(index))
    return inconclusive('the store read at the end', "the record has no store's head", evidence);
  const due =
    stop.on.scope === 'run' ? hasWorkLeft(index, stop) : dueInScope(index, stop, backNs, untilNs(index, stop));
  const backAtMs = sinceT0(index, backNs);
  if (due === false || due === 0)
    return inconclusive('work in scope due after the return', `nothing in scope of ${nameOf(stop.on)} was`, {
      ...evidence,
      backAtMs,
    });
  return pass(
    `${fault.target} came back from ${fault.kind} under the stop of ${nameOf(stop.on)}, and nothing in scope was sent`,
    { ...evidence, backAtMs, runsDue: due },
  );
}

/** When it was back for certain: a process says so itself, a server answers. Infinite when it was not. */
function backAt({ executorLives, apiReadyNs }: DrillIndex, fault: FaultWindow, lives: readonly Incarnation[]): number {
  const since = (readyNs: number | null): number => readyNs ?? Number.POSITIVE_INFINITY;
  switch (thingOf(fault)) {
    case 'worker':
      return Math.min(...lives.map(({ readyNs }) => since(readyNs)));
    case 'executor': {
      const again = executorLives.filter(
        ({ executor, spawnedNs }) => executor === fault.target && spawnedNs >= fault.fromNs,
      );
      return Math.min(...again.map(({ readyNs }) => since(readyNs)));
    }
    case 'api':
      return Math.min(...apiReadyNs.filter((readyNs) => readyNs >= fault.fromNs));
    case 'postgres':
    case 'kafka':
    case 'state-file':
      return fault.toNs;
    default:
      throw new TypeError(`unknown thing of fault ${fault.fault}`);
  }
}

/** Lives of the worker that became ready while the stop was on, after the fault. */
function livesSince(index: DrillIndex, stop: Stop, fault: FaultWindow): readonly Incarnation[] {
  return [...index.incarnations.values()].filter(
    ({ worker, spawnedNs, readyNs }) =>
      worker === fault.target &&
      spawnedNs >= fault.fromNs &&
      readyNs !== null &&
      readyNs > stop.requestNs &&
      readyNs < untilNs(index, stop),
  );
}

/** A new incarnation has no budget: it reads the stop before its first effect. */
function sentBy(index: DrillIndex, stop: Stop, lives: readonly Incarnation[]): WitnessedEffect | null {
  const channels = new Set(lives.map(({ channel }) => channel));
  const sent = index.effects.find((effect) => {
    const fromNs = channels.has(effect.channel) ? heldFromNs(index, stop, effect) : null;
    if (fromNs === null || effect.t1 >= (stop.releaseNs ?? Number.POSITIVE_INFINITY)) return false;
    return effect.t0 > Math.max(stop.durableNs, fromNs);
  });
  return sent ?? null;
}

function sentSince(index: DrillIndex, stop: Stop, fault: FaultWindow): WitnessedEffect | null {
  return countEffects(index, stop).afterBudget.find(({ t0 }) => t0 > fault.recoveryNs) ?? null;
}
