import type { Clock, Decider, ExecutorParts, Runtime, StateFileOptions, WorkerStore } from '../../src/index.ts';
import type { AgentTools } from '../agent-tools.ts';

/** Reports a decision that the unmodified process would not have made on the same input. Only the first is said. */
export type Differs = (difference: {
  readonly input: unknown;
  readonly unmodified: unknown;
  readonly mutated: unknown;
}) => void;

/** What a mutant may hold on to while it bends an executor. */
export interface ExecutorContext {
  readonly executor: string;
  readonly namespace: string;
  /** The store, with the flipper's rights. */
  readonly stopsUrl: string;
  readonly differs: Differs;
}

/** What a mutant may hold on to while it bends the worker. */
export interface MutantContext {
  /** The worker's runtime; throws before it is there. */
  readonly runtime: () => Runtime;
  /** The worker's, which a drill may have set off. */
  readonly clock: Clock;
  /** How long the worker may trust its registry, milliseconds. */
  readonly leaseMs: number;
  readonly databaseUrl: string;
  readonly namespace: string;
  readonly differs: Differs;
}

/** What a mutant puts in place of the worker's own parts. */
export interface Bent {
  readonly decider?: (genuine: Decider) => Decider;
  readonly store?: (genuine: WorkerStore) => WorkerStore;
  readonly stateFile?: (genuine: StateFileOptions) => StateFileOptions;
  readonly signalOf?: (signal: AbortSignal) => AbortSignal | undefined;
  /** What its agents work with: the gate, the intake and the world as they see them. */
  readonly tools?: (genuine: AgentTools) => AgentTools;
  /** False for a worker that asks for no signature, whatever keys it is told. */
  readonly knowsKeys?: false;
}

/** A fleet with one planted bug. The harness must fail it, by the property named here. */
export interface Mutant {
  readonly name: string;
  /** One sentence: the bug. */
  readonly bug: string;
  /** The layers that it takes away; the fence alone masks many bugs. */
  readonly removes: readonly string[];
  readonly property: string;
  /** Scenario under `scenarios/selftest/` that exposes it. */
  readonly scenario: string;
  /** Rights beyond a worker's that it needs, as `privilege on table`. */
  readonly grants?: readonly string[];
  /**
   * SQL that plants the bug in the store instead, run by the drill as the database's owner before the fleet starts. It
   * proves itself active by `insert into drill_mutant (name, input, unmodified, mutated)`, a table that the drill makes.
   */
  readonly sql?: string;
  bend(context: MutantContext): Bent;
  /** What it puts in place of an executor's own parts (its bus, its store, …); without it, executors are the genuine ones. */
  bendExecutor?(context: ExecutorContext): (genuine: ExecutorParts) => ExecutorParts;
}
