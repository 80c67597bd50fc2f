import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InMemoryProvider, OpenFeature } from '@openfeature/server-sdk';
import { circuitBreaker, ConsecutiveBreaker, handleAll } from 'cockatiel';
import CircuitBreaker from 'opossum';
import { RegistryDecider } from '../src/decider.ts';
import { Gate } from '../src/gate.ts';
import type { Check } from '../src/gate.ts';
import { HaltedError, systemClock } from '../src/index.ts';
import { InFlight } from '../src/in-flight.ts';
import { IntentJournal } from '../src/journal/intents.ts';
import { OutcomeBuffer } from '../src/journal/outcomes.ts';
import { Lease } from '../src/lease.ts';
import { Registry } from '../src/registry.ts';
import { canonicalText } from '../src/flip-text.ts';
import { checkByLooking, checkByStrings } from './check-by-strings.ts';
import { median } from './statistics.ts';

export interface CheckRow {
  readonly what: string;
  /** Nanoseconds for one, median over the rounds. */
  readonly ns: number;
  readonly rounds: number;
  readonly perRound: number;
}

/** How many engagements are open while checks are asked by strings. */
const OPEN = [0, 100, 10_000] as const;
const ROUNDS = 15;
const RUN = { run: 'run-1', agent: 'agent-1', tenant: 'acme', feature: 'inbox' };

/** The check through a bound handle, beside what others ask before a call; all in one process, rounds interleaved. */
export async function benchChecks(): Promise<readonly CheckRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'killdrill-bench-'));
  try {
    const subjects = await makeSubjects(folder);
    const samples = new Map(subjects.map(({ what }) => [what, [] as number[]]));
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const { what, perRound, run } of subjects) {
        const ns = (await run(perRound)) / perRound;
        if (round > 0) samples.get(what)?.push(ns); // the first round warms up
      }
    }
    return subjects.map(({ what, perRound }) => ({
      what,
      ns: median(samples.get(what) ?? []),
      rounds: ROUNDS,
      perRound,
    }));
  } finally {
    await OpenFeature.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Subject {
  readonly what: string;
  readonly perRound: number;
  /** Does it `times` over and answers the nanoseconds that it took. */
  readonly run: (times: number) => Promise<number>;
}

async function makeSubjects(folder: string): Promise<readonly Subject[]> {
  const { check } = boundGate();
  const latched = boundGate();
  latched.stop();
  const flag = join(folder, 'flag');
  writeFileSync(flag, 'false');
  const breaker = circuitBreaker(handleAll, { halfOpenAfter: 1_000, breaker: new ConsecutiveBreaker(5) });
  const opossum = new CircuitBreaker(() => Promise.resolve(true));
  await OpenFeature.setProviderAndWait(
    new InMemoryProvider({ halted: { variants: { on: true, off: false }, defaultVariant: 'off', disabled: false } }),
  );
  const features = OpenFeature.getClient();
  return [
    sync('check through a bound handle, lease clock read', 2_000_000, () => check.refusal()),
    ...OPEN.map((open) => sync(`check by strings, ${open} engagements open`, 500_000, checkByStrings(open))),
    sync('the same by looking through 10000', 500, checkByLooking(10_000)),
    sync('refusal of a latched run (handle)', 2_000_000, () => latched.check.refusal()),
    { what: 'refusal of a latched run (gate.run, awaited)', perRound: 100_000, run: latched.refuse },
    awaited('cockatiel 3 circuitBreaker.execute', 100_000, () => breaker.execute(() => true)),
    awaited('opossum 8 fire', 50_000, () => opossum.fire()),
    sync('flag file read (readFileSync)', 20_000, () => readFileSync(flag)),
    awaited('OpenFeature in-memory getBooleanValue', 20_000, () => features.getBooleanValue('halted', false)),
  ];
}

function sync(what: string, perRound: number, once: () => unknown): Subject {
  return {
    what,
    perRound,
    run: (times) => {
      let sink: unknown = null;
      const begin = process.hrtime.bigint();
      for (let at = 0; at < times; at += 1) sink = once();
      const ns = Number(process.hrtime.bigint() - begin);
      return Promise.resolve(sink === undefined ? Number.NaN : ns);
    },
  };
}

function awaited(what: string, perRound: number, once: () => Promise<unknown>): Subject {
  return {
    what,
    perRound,
    run: async (times) => {
      const begin = process.hrtime.bigint();
      for (let at = 0; at < times; at += 1) await once();
      return Number(process.hrtime.bigint() - begin);
    },
  };
}

/** A gate over a loaded registry with 20 open engagements, none of which matches, until `stop`. */
function boundGate(): { check: Check; stop: () => void; refuse: Subject['run'] } {
  const registry = new Registry('bench');
  const lease = new Lease(systemClock, { leaseMs: 3_600_000, storeAgeMs: 0 });
  const head = { epoch: 'e', revision: 0, hash: '' };
  registry.load({ head, ageMs: 1e6, open: [], critical: [] });
  for (let at = 0; at < 20; at += 1) registry.arrive(stopOf(`other-${at}`));
  lease.renew(lease.asked(), { ageMs: 1e6 });
  const decider = new RegistryDecider(registry, lease);
  const nothing = () => Promise.reject(new Error('no store in this bench'));
  const outcomes = new OutcomeBuffer('bench', { record: nothing }, systemClock);
  const fenced = { registry, lease, diverged: () => undefined };
  const intents = new IntentJournal('bench', { admitIntents: nothing, enqueue: nothing }, outcomes, fenced);
  const gate = new Gate({ decider, intents, outcomes, inFlight: new InFlight(decider), clock: systemClock });
  const effect = { capability: 'write/mail', access: 'write', idempotencyKey: 'k', deadlineMs: 1_000 } as const;
  const refuse = (times: number): Promise<number> =>
    gate.enter(RUN, async () => {
      const begin = process.hrtime.bigint();
      for (let at = 0; at < times; at += 1) await gate.run(effect, () => Promise.resolve()).catch(onlyHalted);
      return Number(process.hrtime.bigint() - begin);
    });
  return {
    check: gate.enter(RUN, () => gate.bind('write/mail')),
    stop: () => void registry.arrive(stopOf(RUN.tenant)),
    refuse,
  };
}

function onlyHalted(error: unknown): void {
  if (!(error instanceof HaltedError)) throw error;
}

function stopOf(tenant: string) {
  const text = canonicalText({
    kind: 'stop',
    namespace: 'bench',
    id: `stop-${tenant}`,
    scope: 'tenant',
    target: tenant,
    mode: 'halt_all',
    queue: 'discard',
    reason: 'bench',
    triggeredBy: 'bench',
    source: 'bench',
    at: '2026-01-01T00:00:00Z',
  });
  return { text, signature: null, place: null };
}
