import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RegistryDecider } from '../src/decider.ts';
import { canonicalText } from '../src/flip-text.ts';
import { Gate } from '../src/gate.ts';
import type { Effect } from '../src/effect.ts';
import { systemClock } from '../src/index.ts';
import { InFlight } from '../src/in-flight.ts';
import { IntentJournal } from '../src/journal/intents.ts';
import { OutcomeBuffer } from '../src/journal/outcomes.ts';
import { Lease } from '../src/lease.ts';
import { Registry } from '../src/registry.ts';
import { summarise } from './statistics.ts';
import type { Summary } from './statistics.ts';

export interface InFlightFigures {
  readonly calls: number;
  readonly rows: readonly TripFigures[];
  /** As many bare AbortControllers with a listener each, aborted in a loop, in the same rounds: what the platform itself takes. */
  readonly bare: Summary;
}

export interface TripFigures {
  /** Of how many runs the calls are; each run begins its calls together. */
  readonly runs: number;
  /** Milliseconds from the stop's arrival to the abort of a call's signal; every call of every round. */
  readonly abort: Summary;
  /** The same for the last call of each round. */
  readonly lastAbort: Summary;
  /** The longest that the event loop stood still from the trip until every caller had been answered, milliseconds. */
  readonly blocked: Summary;
}

const CALLS = 4_096;
/** As many agents as one worker may have by the fleet contract, with 8 parallel calls each; and every call alone in its run. */
const RUNS = [512, CALLS] as const;
const ROUNDS = 40;
const WARM_UP = 10;

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Trips a switch over calls in flight: each has somebody who listens to its signal, and a caller who waits. */
export async function benchInFlight(): Promise<InFlightFigures> {
  const trips = RUNS.map((runs) => ({
    runs,
    aborts: [] as number[],
    lastAborts: [] as number[],
    blocks: [] as number[],
  }));
  const bares: number[] = [];
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    for (const { runs, aborts, lastAborts, blocks } of trips) {
      const { abortsMs, blockedMs } = await oneTrip(runs);
      if (round < WARM_UP) continue;
      for (const ms of abortsMs) aborts.push(ms);
      lastAborts.push(Math.max(...abortsMs));
      blocks.push(blockedMs);
    }
    const bareMs = await bareAborts();
    if (round >= WARM_UP) bares.push(bareMs);
  }
  const rows = trips.map(({ runs, aborts, lastAborts, blocks }) => ({
    runs,
    abort: summarise(aborts),
    lastAbort: summarise(lastAborts),
    blocked: summarise(blocks),
  }));
  return { calls: CALLS, rows, bare: summarise(bares) };
}

interface TripTimes {
  readonly abortsMs: readonly number[];
  readonly blockedMs: number;
}

/** Calls that are out, and what it takes to stop them. */
type Fleet = Awaited<ReturnType<typeof callsOut>>;

async function oneTrip(runs: number): Promise<TripTimes> {
  const fleet = await callsOut(runs, CALLS / runs);
  // What setting up has left behind is not the trip's to clear away: calls in flight have been there for a while.
  collectGarbage();
  await turn();
  return trip(fleet);
}

async function callsOut(runs: number, callsPerRun: number) {
  const { gate, registry, inFlight } = makeGate();
  const abortedNs: bigint[] = [];
  const ends: (() => void)[] = [];
  const send = (at: number): Promise<void> =>
    gate.run(effectOf(at), ({ signal }) => {
      return new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          abortedNs.push(process.hrtime.bigint());
          ends.push(() => reject(signal.reason as Error));
        });
      });
    });
  const answered = Array.from({ length: runs }, (_, run) =>
    gate.enter({ run: `run-${run}`, agent: `agent-${run}`, tenant: 'acme' }, () =>
      Array.from({ length: callsPerRun }, (_call, at) => send(run * callsPerRun + at).catch(() => undefined)),
    ),
  ).flat();
  await turn();
  return { registry, inFlight, abortedNs, ends, answered };
}

async function trip({ registry, inFlight, abortedNs, ends, answered }: Fleet): Promise<TripTimes> {
  const calls = answered.length;
  if (inFlight.count !== calls) throw new Error(`${inFlight.count} calls in flight; expected ${calls}`);
  const tripNs = process.hrtime.bigint();
  registry.arrive(STOP);
  const blockedMs = await longestTurn(tripNs, Promise.all(answered));
  // A call ends when its socket has: in a later turn.
  for (const end of ends) end();
  await turn();
  if (inFlight.count > 0) throw new Error(`${inFlight.count} calls are still in flight after the trip`);
  if (abortedNs.length !== calls) throw new Error(`${abortedNs.length} calls were aborted; expected ${calls}`);
  return { abortsMs: abortedNs.map((ns) => msBetween(tripNs, ns)), blockedMs };
}

async function bareAborts(): Promise<number> {
  const controllers = Array.from({ length: CALLS }, () => new AbortController());
  let lastAbortNs = 0n;
  for (const { signal } of controllers) signal.addEventListener('abort', () => (lastAbortNs = process.hrtime.bigint()));
  collectGarbage();
  await turn();
  const reason = new Error('stop');
  const tripNs = process.hrtime.bigint();
  for (const controller of controllers) controller.abort(reason);
  return msBetween(tripNs, lastAbortNs);
}

/** From the trip on: the longest time between two turns of the loop, until all are answered. */
async function longestTurn(sinceNs: bigint, all: Promise<unknown>): Promise<number> {
  let done = false;
  void all.then(() => (done = true));
  let longest = 0;
  for (let lastNs = sinceNs; !done;) {
    await turn();
    const nowNs = process.hrtime.bigint();
    longest = Math.max(longest, msBetween(lastNs, nowNs));
    lastNs = nowNs;
  }
  return longest;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function msBetween(fromNs: bigint, toNs: bigint): number {
  return Number(toNs - fromNs) / 1e6;
}

function effectOf(at: number): Effect {
  return { capability: 'read/crm', access: 'read', journal: false, deadlineMs: 60_000, idempotencyKey: `k${at}` };
}

function makeGate(): { readonly gate: Gate; readonly registry: Registry; readonly inFlight: InFlight } {
  const clock = systemClock;
  const registry = new Registry('bench');
  const lease = new Lease(clock, { leaseMs: 3_600_000, storeAgeMs: 0 });
  registry.load({ head: { epoch: 'e', revision: 0, hash: '' }, ageMs: 1e6, open: [], critical: [] });
  lease.renew(lease.asked(), { ageMs: 1e6 });
  const decider = new RegistryDecider(registry, lease);
  const inFlight = new InFlight(decider);
  registry.onChange(() => inFlight.abortStopped());
  const nothing = () => Promise.reject(new Error('no store in this bench'));
  const outcomes = new OutcomeBuffer('bench', { record: nothing }, clock);
  const fenced = { registry, lease, diverged: () => undefined };
  const intents = new IntentJournal('bench', { admitIntents: nothing, enqueue: nothing }, outcomes, fenced);
  return { gate: new Gate({ decider, intents, outcomes, inFlight, clock }), registry, inFlight };
}

const STOP = {
  text: canonicalText({
    ...{ kind: 'stop', namespace: 'bench', id: 'stop', scope: 'tenant', target: 'acme', mode: 'halt_all' },
    ...{ queue: 'discard', reason: 'bench', triggeredBy: 'bench', source: 'bench', at: '2026-01-01T00:00:00Z' },
  }),
  signature: null,
  place: null,
};
