import { randomUUID } from 'node:crypto';
import { setTimeout as timeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connectWorkerStore, DEFAULT_LEASE, KilldrillError, readContract, Runtime, systemClock } from '../src/index.ts';
import type { Clock, ContractEnvironment } from '../src/index.ts';
import type { AgentTools } from './agent-tools.ts';
import { askedToEnd } from './asked-to-end.ts';
import { openDetecting } from './detecting.ts';
import type { Detecting } from './detecting.ts';
import { CLOCK_VARIABLE, drilledClock } from './drilled-clock.ts';
import { bendBy } from './mutants/bend.ts';
import { MUTANTS } from './mutants/registry.ts';
import { makePayloads } from './payloads.ts';
import { log, say } from './say.ts';
import { stateFileOf } from './state-file.ts';
import { Worker } from './worker.ts';
import { WorldClient } from './world-client.ts';

/**
 * One worker of the simulated fleet: an ordinary user of the fleet contract (DESIGN §7) and of the runtime.
 *
 * `--mutant NAME` plants one bug; `--list-mutants` prints them as JSON.
 */

const DEAF_VARIABLE = 'KILLDRILL_SIM_DEAF';
const DEFAULT_AGENTS = 16;
const READY_MS = 15_000;
const RECONNECT_MS = 100;
/**
 * How long a claim lasts that nobody extends: longer than a drill takes the store away for, since the store's clock goes
 * on meanwhile, and short enough that the tasks of a killed worker are soon another's.
 */
const CLAIM_MS = 6_000;
const STOP_MS = 2_000;
const FLUSH_MS = 1_000;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { mutant: { type: 'string' }, 'list-mutants': { type: 'boolean' } } });
  if (values['list-mutants'] === true) {
    process.stdout.write(`${JSON.stringify(MUTANTS.map((mutant) => ({ ...mutant, bend: undefined })))}\n`);
    return;
  }
  await work(readContract(process.env), values.mutant ?? null);
}

async function work(contract: ContractEnvironment, mutant: string | null): Promise<void> {
  const { namespace, worldUrl, leaseMs } = contract;
  const { databaseUrl, registryUrl } = storeOf(contract);
  const incarnation = `${contract.worker}-${randomUUID()}`;
  let runtime: Runtime | null = null;
  const runtimeNow = (): Runtime => {
    if (runtime === null) throw new KilldrillError('TOO_EARLY', 'the runtime is not there yet');
    return runtime;
  };
  const clock = clockOf(process.env[CLOCK_VARIABLE]);
  const held = { clock, leaseMs: leaseMs ?? DEFAULT_LEASE.leaseMs };
  const bent = bendBy(mutant, { runtime: runtimeNow, ...held, databaseUrl, namespace }, say);
  const readyByMs = systemClock.monotonicMs() + READY_MS;
  const genuine = await connectWhenThere(
    { namespace, databaseUrl, registryUrl, timings: timingsFor(leaseMs), clock },
    readyByMs,
  );
  const stateFile = stateFileOf(contract, (refusal) => say({ event: 'state-file', refusal }));
  const detecting = await detectingOf(contract, { runtime: () => runtime, clock });
  const governed = new Runtime(bent.store?.(genuine) ?? genuine, {
    namespace,
    incarnation,
    claimMs: CLAIM_MS,
    clock,
    onError: (error) => log(error.message),
    ...(leaseMs === null ? {} : { leaseMs }),
    keys: bent.knowsKeys === false ? null : contract.keys,
    onRefused: (refusal) => say({ event: 'refused', ...refusal }),
    ...(bent.decider === undefined ? {} : { decider: bent.decider }),
    ...(stateFile === null ? {} : { stateFile: bent.stateFile?.(stateFile) ?? stateFile }),
    worker: contract.worker,
    ...(detecting === null ? {} : { observer: detecting.observer }),
    emergency: { folder: contract.snapshotFolder },
    onEmergency: (done) => say({ event: 'emergency', ...done }),
  });
  runtime = governed;
  sayWhenStopped(governed);
  const world = new WorldClient(worldUrl);
  const worker = new Worker({
    agents: contract.agents ?? DEFAULT_AGENTS,
    clock,
    runtime: governed,
    world,
    payload: makePayloads(contract.seed ?? 0),
    signalOf: bent.signalOf ?? deafTo(process.env[DEAF_VARIABLE]),
    bendTools: bent.tools ?? ((genuine) => genuine),
    log,
  });
  const asked = askedToEnd();
  await governed.ready(readyByMs - systemClock.monotonicMs());
  await proveFence(governed, genuine.fence);
  await worker.start();
  say({ event: 'ready', incarnation });
  await asked;
  await worker.stop(STOP_MS);
  await detecting?.close();
  await governed.close(FLUSH_MS);
  world.close();
  say({ event: 'bye', effects: governed.gate.dispatchedCount, intents: governed.intents.admittedCount });
}

/** Null for a worker that is to have none. */
async function detectingOf(
  { detection, namespace }: ContractEnvironment,
  { runtime, clock }: { readonly runtime: () => Runtime | null; readonly clock: Clock },
): Promise<Detecting | null> {
  if (detection === null) return null;
  const observedRevision = (): number | null => runtime()?.registry.head?.revision ?? null;
  return openDetecting(detection, { namespace, clock, observedRevision, say });
}

/** The machine's, unless the drill sets it off. */
function clockOf(file: string | undefined): Clock {
  if (file === undefined) return systemClock;
  return drilledClock(systemClock, file, (offsetMs) => say({ event: 'clock', offsetMs }));
}

/** Calls of these capabilities ignore their signal, as some tools do; all others obey it. */
function deafTo(names: string | undefined): AgentTools['signalOf'] {
  const deaf = new Set(names?.split(' '));
  return (signal, capability) => (deaf.has(capability) ? undefined : signal);
}

function storeOf({ databaseUrl, registryUrl }: ContractEnvironment): { databaseUrl: string; registryUrl: string } {
  if (databaseUrl !== null && registryUrl !== null) return { databaseUrl, registryUrl };
  throw new KilldrillError(
    'CONTRACT_ENVIRONMENT',
    'the simulated fleet needs a store: KILLDRILL_DATABASE_URL and KILLDRILL_REGISTRY_URL must both be set',
  );
}

/** A worker that is started while its store is away waits for it. */
async function connectWhenThere(
  options: Parameters<typeof connectWorkerStore>[0],
  byMs: number,
): ReturnType<typeof connectWorkerStore> {
  for (;;) {
    try {
      return await connectWorkerStore(options);
    } catch (error) {
      const isAway = error instanceof KilldrillError && error.code === 'STORE_UNREACHABLE';
      if (!isAway || systemClock.monotonicMs() + RECONNECT_MS >= byMs) throw error;
      log(error.message);
      await timeout(RECONNECT_MS);
    }
  }
}

/** An answer that comes later than the lease would end anyhow is of no use. */
function timingsFor(leaseMs: number | null): { statementMs: number; answerMs: number; connectMs: number } {
  const lease = leaseMs ?? DEFAULT_LEASE.leaseMs;
  return { connectMs: lease / 2, statementMs: lease / 2, answerMs: (lease * 2) / 3 };
}

/** One round trip through the fence with nothing in it. */
async function proveFence(
  runtime: Runtime,
  fence: Awaited<ReturnType<typeof connectWorkerStore>>['fence'],
): Promise<void> {
  const { head } = runtime.registry;
  if (head !== null) await fence.enqueue(head, []);
}

function sayWhenStopped({ registry }: Runtime): void {
  let said = 0;
  registry.onChange(() => {
    const revisions = registry.openEngagements().map(({ id }) => registry.revisionOf(id) ?? 0);
    const newest = Math.max(0, ...revisions);
    if (newest <= said) return;
    said = newest;
    say({ event: 'stopped', revision: newest });
  });
}

try {
  await main();
} catch (error) {
  log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
}
process.exit();
