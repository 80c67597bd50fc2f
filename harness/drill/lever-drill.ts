import { randomUUID } from 'node:crypto';
import type { Flip } from '../../src/switch.ts';
import { RECORD_FILES } from '../bundle/drill-record.ts';
import { Conductor } from '../conductor/conductor.ts';
import { Faults } from '../conductor/faults.ts';
import { LeverOperator } from '../conductor/lever-operator.ts';
import { waitUntil } from '../environment/wait.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { pullLever } from '../fleet/pull-lever.ts';
import type { Phase } from '../history/event.ts';
import type { LeversSpec } from '../scenario/scenario.ts';
import type { World } from '../world/world.ts';
import type { Brackets } from './brackets.ts';
import type { DrillInput } from './drill-input.ts';
import { DRILL_TIMES } from './drill.ts';
import type { DrillGround } from './drill-ground.ts';
import { openWorld } from './open-world.ts';
import { makeOwnFleet, ownFleetEnvironment } from './start-own-fleet.ts';

const DRAIN_MS = 3_000;
const DRAIN_LOOK_MS = 50;
/** What an interrupted fleet gets to end by itself. */
const HURRIED_BYE_MS = 1_000;
let drills = 0;

/** How a drill says where it is. */
export interface Announce {
  readonly enter: (phase: Phase) => void;
  /** Traffic begins at this reading of the drill's clock. */
  readonly began: (t0Ns: number) => void;
  readonly opened: (world: World) => void;
  readonly flipped: (flip: Flip) => void;
}

/**
 * One drill of a fleet with a switch of its own: world → fleet → timeline, with its levers in the operator's hand. No store
 * is there, so that none is prepared, hit or read; what is judged is what the witness saw.
 */
export async function playLeverDrill(
  input: DrillInput,
  plan: DrillGround,
  levers: LeversSpec,
  { brackets, announce }: { readonly brackets: Brackets; readonly announce: Announce },
): Promise<void> {
  const { signal } = input;
  drills += 1;
  const namespace = `fleet_${drills}`;
  const environment = ownFleetEnvironment(input.folder, namespace);
  const world = openWorld(plan, brackets);
  announce.opened(world);
  const fleet = await startFleet(input, plan, { environment, world, brackets });
  const { scenario, trace, clock, history } = plan;
  const { postgres, kafka } = input.environment;
  const ground = { fleet, executors: null, api: null, postgres, kafka, stateFile: null, signal };
  const faults = new Faults(ground, history, clock, scenario.seed);
  brackets.add(() => faults.undoAll());
  const { withinMs } = levers;
  const cwd = process.cwd();
  const operator = new LeverOperator({
    ...{ levers, namespace, clock, history, newId: randomUUID, wallMs: Date.now, onFlip: announce.flipped },
    pull: (lever, body, until) =>
      pullLever(lever, body, { environment, cwd, withinMs, onSpawned: input.onSpawned, signal: until }),
  });
  const t0Ns = clock.nowNs();
  announce.began(t0Ns);
  announce.enter('traffic');
  world.startArrivals(t0Ns);
  const hands = { operator, forger: null, observer: null, wayBack: null, probes: null, detectors: null };
  const { enter } = announce;
  await new Conductor({ scenario, trace, clock, history, world, ...hands, faults, enter, signal }).play(t0Ns);
  await faults.undoAll();
  enter('drain');
  world.endArrivals();
  const isQuiet = (): boolean => world.counts().inFlight === 0;
  await waitUntil(isQuiet, { boundMs: DRAIN_MS, everyMs: DRAIN_LOOK_MS, signal });
  enter('stopping');
  world.closeOpenCalls();
  await fleet.stop(DRILL_TIMES.byeMs);
  enter('end');
  signal.throwIfAborted();
}

async function startFleet(
  { command, onSpawned, signal }: DrillInput,
  { scenario, history, bundle }: DrillGround,
  {
    environment,
    world,
    brackets,
  }: { readonly environment: Readonly<Record<string, string>>; readonly world: World; readonly brackets: Brackets },
): Promise<Fleet> {
  const fleet = makeOwnFleet({
    ...{ scenario, command, environment, history, onSpawned },
    tracePath: bundle.path(RECORD_FILES.trace),
    openChannel: (worker) => world.openChannel(worker),
  });
  brackets.add(() => fleet.close());
  brackets.add(async () => void (await fleet.stop(signal.aborted ? HURRIED_BYE_MS : DRILL_TIMES.byeMs)));
  await fleet.start(signal);
  return fleet;
}
