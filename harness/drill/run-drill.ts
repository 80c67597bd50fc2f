import { messageOf } from '../../src/errors.ts';
import type { Flip } from '../../src/switch.ts';
import { writeTrace } from '../traffic/trace-file.ts';
import { createBundle } from '../bundle/create.ts';
import { RECORD_FILES } from '../bundle/drill-record.ts';
import { writeVerdict } from '../bundle/write-verdict.ts';
import { judge } from '../checkers/judge.ts';
import { Conductor } from '../conductor/conductor.ts';
import { Faults } from '../conductor/faults.ts';
import type { DrillDatabase } from '../environment/environment.ts';
import type { Executors } from '../fleet/executors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { writeEvidence } from '../evidence/write-evidence.ts';
import { startDrillClock } from '../history/clock.ts';
import type { Phase } from '../history/event.ts';
import { openHistory } from '../history/write.ts';
import { readJournal } from '../journal/read-journal.ts';
import { scenarioToYaml } from '../scenario/to-yaml.ts';
import { workerNames } from '../scenario/crew.ts';
import type { LeversSpec } from '../scenario/scenario.ts';
import type { World } from '../world/world.ts';
import { awaitQuiet } from './await-quiet.ts';
import { inBrackets } from './brackets.ts';
import type { Brackets } from './brackets.ts';
import { detectingOf, executorsOf, hasAlerts, openAlerting, readDeadLetters } from './alerting.ts';
import type { Alerting } from './alerting.ts';
import type { DrillGround } from './drill-ground.ts';
import type { DrillInput, DrillOutcome } from './drill-input.ts';
import { nextDatabaseName } from './database-name.ts';
import { openDrillStore } from './drill-store.ts';
import type { DrillStore } from './drill-store.ts';
import { DRILL_TIMES } from './drill.ts';
import type { DrillRecord } from './drill.ts';
import type { Announce } from './lever-drill.ts';
import { playLeverDrill } from './lever-drill.ts';
import { LeftClaims } from './left-claims.ts';
import { bootId, describeMachine } from './machine.ts';
import { makeFlipKeys } from './flip-keys.ts';
import type { DrillFlipKeys } from './flip-keys.ts';
import { openWorld } from './open-world.ts';
import { operatorsHands } from './operators-hands.ts';
import { declareStart, prepareStore } from './prepare-store.ts';
import { startApi } from './start-api.ts';
import type { OperatedApi } from './start-api.ts';
import { makeFleet } from './start-fleet.ts';
import { makeStateFile } from './state-file.ts';
import type { DrillStateFile } from './state-file.ts';
import { asOwner } from './store-address.ts';
import { storeHeadOf } from './store-head.ts';

const PROGRESS_MS = 200;
/** What an interrupted fleet gets to end by itself. */
const HURRIED_BYE_MS = 1_000;

/**
 * Runs one planned drill in an environment that is up: database → world → fleet → timeline → journal → verdict.
 *
 * @throws KilldrillError when the harness or the environment fails; a fleet that does badly is a verdict, not an error.
 */
export async function runDrill(input: DrillInput): Promise<DrillOutcome> {
  const { scenario, trace } = input.plan;
  const start = new Date();
  const { reportsFolder, told, command } = input;
  const bundle = createBundle({ reportsFolder, time: start, scenarioName: scenario.name });
  const clock = startDrillClock();
  await bundle.write(RECORD_FILES.scenario, scenarioToYaml(scenario));
  await writeTrace(bundle.path(RECORD_FILES.trace), trace);
  await bundle.write('environment.json', describeMachine(input.environment, trace));
  const history = openHistory({ file: bundle.path(RECORD_FILES.history), clock });
  await inBrackets(async (brackets) => {
    brackets.add(() => history.close());
    await new Drill(input, { scenario, trace, bundle, clock, history }, brackets).run();
  });
  const record: DrillRecord = { scenario, trace, events: history.events, complete: true };
  const when = { start, end: new Date() };
  const judgement = judge(record);
  await writeVerdict(bundle, record, judgement);
  const storeHead = storeHeadOf(history.events);
  await bundle.finish(storeHead);
  const drilled = { record, judgement, command: command ?? scenario.fleet.command, when, storeHead };
  const noEvidence =
    told === undefined ? null : await writeEvidence(bundle, { ...told, ...drilled }).then(() => null, messageOf);
  return { record, judgement, bundleFolder: bundle.folder, noEvidence };
}

/** What a drill has once its fleet is ready. */
interface Stage {
  readonly database: DrillDatabase;
  readonly store: DrillStore;
  readonly world: World;
  readonly fleet: Fleet;
  /** Null for a drill without one. */
  readonly stateFile: DrillStateFile | null;
  /** Null for a drill without alerts. */
  readonly alerting: Alerting | null;
  /** Null for a drill without executors. */
  readonly executors: Executors | null;
  /** Null for a drill without one. */
  readonly api: OperatedApi | null;
}

/** One drill while it runs: what it starts, it ends in reverse order, whatever happens. */
class Drill {
  readonly #input: DrillInput;
  readonly #plan: DrillGround;
  readonly #brackets: Brackets;
  readonly #halted: string[] = [];
  #phase: Phase = 'start';
  #t0Ns: number | null = null;
  #world: World | null = null;

  constructor(input: DrillInput, plan: DrillGround, brackets: Brackets) {
    this.#input = input;
    this.#plan = plan;
    this.#brackets = brackets;
  }

  async run(): Promise<void> {
    const { environment, signal } = this.#input;
    this.#begin();
    const { levers } = this.#plan.scenario.fleet;
    if (levers !== null) return this.#pullLevers(levers);
    const database = await environment.createDatabase(nextDatabaseName());
    this.#brackets.add(() => database.drop());
    signal.throwIfAborted();
    const store = await this.#openStore(database);
    const alerting = await this.#openAlerting(database, store);
    const world = openWorld(this.#plan, this.#brackets);
    this.#world = world;
    const stateFile = makeStateFile(this.#plan.scenario, this.#input.folder, database.name);
    const fleet = await this.#startFleet(database, world, { keys: store.keys, stateFile, alerting });
    const executors = await this.#startExecutors(database, alerting, store.keys);
    const api = await this.#startApi(database, store.keys);
    const stage: Stage = { database, store, world, fleet, stateFile, alerting, executors, api };
    await this.#play(stage);
    await this.#end(stage);
    this.#enter('journal');
    const owner = asOwner(environment.postgres.target, database);
    const ledger = () => store.patient.ledger(null);
    await readJournal({ owner, namespace: database.name, ledger }, this.#plan.history);
    if (alerting !== null) await readDeadLetters(alerting, this.#plan.history);
    this.#enter('end');
    signal.throwIfAborted();
  }

  /** Without a store, which nobody would use. */
  #pullLevers(levers: LeversSpec): Promise<void> {
    const announce: Announce = {
      enter: (phase) => this.#enter(phase),
      began: (t0Ns) => (this.#t0Ns = t0Ns),
      opened: (world) => (this.#world = world),
      flipped: (flip) => this.#flipped(flip),
    };
    return playLeverDrill(this.#input, this.#plan, levers, { brackets: this.#brackets, announce });
  }

  /** With its witness in place, and with what the operator declares beforehand: before there is anybody to be drilled. */
  async #openStore(database: DrillDatabase): Promise<DrillStore> {
    const { environment, folder, planted } = this.#input;
    const store = openDrillStore(environment.postgres.target, database, makeFlipKeys(folder, database.name));
    this.#brackets.add(() => store.close());
    await prepareStore(store.owner, database.worker.user, planted);
    await declareStart(store, this.#plan.scenario.fleet);
    return store;
  }

  async #openAlerting(database: DrillDatabase, { owner }: DrillStore): Promise<Alerting | null> {
    const { scenario, clock, history } = this.#plan;
    if (!hasAlerts(scenario)) return null;
    const { environment, signal } = this.#input;
    const alerting = await openAlerting({ scenario, environment, database, owner, clock, history, signal });
    this.#brackets.add(() => alerting.bus.close());
    return alerting;
  }

  #begin(): void {
    const { scenario, history, clock } = this.#plan;
    history.append({
      type: 'drill',
      scenario: scenario.name,
      seed: scenario.seed,
      bootId: bootId(),
      originNs: String(clock.originNs),
      workers: workerNames(scenario.fleet),
      environment: this.#input.environment.name,
    });
    this.#enter('start');
    const timer = setInterval(() => this.#progress(), PROGRESS_MS);
    this.#brackets.add(() => clearInterval(timer));
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#plan.history.append({ type: 'phase', phase });
    this.#progress();
  }

  #progress(): void {
    const counts = this.#world?.counts();
    const nowNs = this.#plan.clock.nowNs();
    this.#input.onProgress({
      phase: this.#phase,
      elapsedMs: this.#t0Ns === null ? 0 : (nowNs - this.#t0Ns) / 1e6,
      effects: counts?.channels.reduce((sum, { arrived }) => sum + arrived, 0) ?? 0,
      inFlight: counts?.inFlight ?? 0,
      halted: this.#halted,
    });
  }

  async #startFleet(
    database: DrillDatabase,
    world: World,
    { keys, stateFile, alerting }: Pick<Stage, 'stateFile' | 'alerting'> & { readonly keys: DrillFlipKeys },
  ): Promise<Fleet> {
    const { environment, folder, command, onSpawned, startProxy, signal } = this.#input;
    const { scenario, history, bundle } = this.#plan;
    const fleet = makeFleet({
      scenario,
      command,
      database,
      postgres: environment.postgres.target,
      folder,
      stateFile,
      tracePath: bundle.path(RECORD_FILES.trace),
      publicKey: keys.publicKey,
      history,
      openChannel: (worker) => world.openChannel(worker),
      onSpawned,
      detecting: alerting === null ? null : detectingOf(this.#input, alerting),
      startProxy,
    });
    this.#brackets.add(() => fleet.close());
    this.#brackets.add(async () => void (await fleet.stop(signal.aborted ? HURRIED_BYE_MS : DRILL_TIMES.byeMs)));
    await fleet.start(signal);
    return fleet;
  }

  async #startExecutors(database: DrillDatabase, alerting: Alerting | null, flipKeys: DrillFlipKeys) {
    const { signal } = this.#input;
    const { history } = this.#plan;
    const executors = alerting === null ? null : executorsOf(this.#input, database, { ...alerting, flipKeys }, history);
    if (executors === null) return null;
    this.#brackets.add(() => executors.close());
    this.#brackets.add(async () => void (await executors.stop(signal.aborted ? HURRIED_BYE_MS : DRILL_TIMES.byeMs)));
    await executors.start(signal);
    return executors;
  }

  async #startApi(database: DrillDatabase, flipKeys: DrillFlipKeys): Promise<OperatedApi | null> {
    const { environment, folder, onSpawned, startProxy, signal } = this.#input;
    const { scenario, history } = this.#plan;
    const parts = { scenario, database, folder, flipKeys, history, onSpawned, startProxy };
    return startApi(
      { ...parts, postgres: environment.postgres.target, hurriedByeMs: HURRIED_BYE_MS, signal },
      this.#brackets,
    );
  }

  async #play({ database, store, world, fleet, stateFile: file, alerting, executors, api }: Stage): Promise<void> {
    const { environment, signal } = this.#input;
    const { scenario, trace, clock, history } = this.#plan;
    const { postgres, kafka } = environment;
    const stateFile = file?.path ?? null;
    const ground = { fleet, executors, api: api?.drilled ?? null, postgres, kafka, stateFile, signal };
    const faults = new Faults(ground, history, clock, scenario.seed);
    this.#brackets.add(() => faults.undoAll());
    const onFlip = (flip: Flip): void => this.#flipped(flip);
    const namespace = database.name;
    const alerts = { detectors: alerting?.detectors ?? null, fleetAlerts: alerting?.fleetAlerts ?? null };
    const to = { ...alerts, api: api === null ? null : { url: api.drilled.url, keys: api.keys } };
    const here = { store, namespace, stateFile, world, trace };
    const hands = await operatorsHands({ ...here, clock, history, onFlip, ...to, signal });
    const enter = (phase: Phase): void => this.#enter(phase);
    this.#t0Ns = clock.nowNs();
    this.#enter('traffic');
    world.startArrivals(this.#t0Ns);
    await new Conductor({ scenario, trace, clock, history, world, ...hands, faults, enter, signal }).play(this.#t0Ns);
    await faults.undoAll();
  }

  #flipped({ kind, scope, target }: { readonly kind: string; readonly scope: string; readonly target: string }): void {
    const on = `${scope}:${target}`;
    if (kind === 'stop') this.#halted.push(on);
    else this.#halted.splice(0, this.#halted.length, ...this.#halted.filter((other) => other !== on));
  }

  /** Arrivals end → calls end by themselves, or are closed → the fleet is asked to end. */
  async #end({ database, store, world, fleet, executors, api }: Stage): Promise<void> {
    const { signal } = this.#input;
    this.#enter('drain');
    world.endArrivals();
    await awaitQuiet(world, new LeftClaims(store.owner, database.name, this.#plan.clock), signal);
    this.#enter('stopping');
    world.closeOpenCalls();
    const { byeMs } = DRILL_TIMES;
    await Promise.all([fleet.stop(byeMs), executors?.stop(byeMs), api?.drilled.stop(byeMs)]);
  }
}
