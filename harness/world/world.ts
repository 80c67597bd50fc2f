import type { Clock } from '../../src/clock.ts';
import { systemClock } from '../../src/clock.ts';
import { KilldrillError } from '../../src/errors.ts';
import type { DrillClock } from '../history/clock.ts';
import type { ChannelId } from '../history/event.ts';
import type { HistorySink, Interval } from '../history/write.ts';
import type { Trace, TraceRun } from '../traffic/trace.ts';
import { ArrivalLog } from './arrival-log.ts';
import type { InScope } from './arrival-log.ts';
import type { ChannelTally } from './call.ts';
import { CHANNEL_LIMITS } from './channel-limits.ts';
import type { ChannelLimits } from './channel-limits.ts';
import { ChannelServer } from './channel.ts';
import type { Channel } from './channel.ts';
import { Downstream } from './downstream.ts';
import type { OpenCall } from './downstream.ts';
import type { LoopWatch } from './loop-watch.ts';
import { OPERATOR } from '../history/operator.ts';
import { RunBook } from './run-book.ts';
import { WorkQueue } from './work-queue.ts';

export type { InScope } from './arrival-log.ts';

/** One worker's exposure to a flip. */
export interface WorkerExposure {
  readonly worker: string;
  /** Open calls in scope, held ones included. */
  readonly open: number;
  /** Those of them that are there to be caught by the stop. */
  readonly held: readonly OpenCall[];
}

export interface WorldCounts {
  readonly channels: readonly ({ readonly channel: ChannelId; readonly worker: string } & Readonly<ChannelTally>)[];
  /** Open calls now. */
  readonly inFlight: number;
  /** Runs that became due, and those of them that nobody has yet. */
  readonly due: number;
  readonly waiting: number;
  readonly unattributed: number;
}

/** The harness's downstream, and the drill's witness. */
export interface World {
  /** Opens the channel of one incarnation of a worker, or with the name `operator` the one for compensations. */
  openChannel(worker: string): Promise<Channel>;
  /** Starts arrivals; the trace's times count from `t0Ns`, a reading of the drill's clock. */
  startArrivals(t0Ns: number): void;
  /** Hands these out from now on: runs of the trace that do not arrive by themselves. */
  letLoose(runs: readonly TraceRun[]): void;
  /** Nothing is handed out any more. */
  endArrivals(): void;
  /** What each worker with an open channel has open in scope, right now. */
  exposure(inScope: InScope): readonly WorkerExposure[];
  /** Effects of workers in scope that have arrived so far. Cheap when it is asked again with the same function. */
  effectsInScope(inScope: InScope): number;
  counts(): WorldCounts;
  /** Closes what is still open, by the harness. */
  closeOpenCalls(): void;
  /** Closes every channel; no port, connection or timer is left. Safe to call twice. */
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly trace: Trace;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly downstream: { readonly landsAfterAbort: boolean };
  readonly loop: LoopWatch;
  readonly limits?: Partial<ChannelLimits>;
  /** The machine's clock by default. */
  readonly timers?: Pick<Clock, 'after'>;
}

/** So many unattributed requests are recorded one by one; all are counted. One is an error already. */
const MAX_UNATTRIBUTED_EVENTS = 1000;

function arrivesByItself({ parent, probe, runaway }: TraceRun): boolean {
  return parent === undefined && probe !== true && runaway !== true;
}

/** Starts a world without channels; nothing arrives before `startArrivals`. */
export function startWorld(options: WorldOptions): World {
  return new ChannelledWorld(options);
}

class ChannelledWorld implements World {
  readonly #options: WorldOptions;
  readonly #channels: ChannelServer[] = [];
  readonly #tokens = new Set<string>();
  readonly #openChannels = new Set<ChannelServer>();
  readonly #book: RunBook;
  readonly #queue: WorkQueue;
  readonly #downstream: Downstream;
  readonly #arrivals = new ArrivalLog();
  #unattributed = 0;
  #closing: Promise<void> | null = null;

  constructor(options: WorldOptions) {
    const { trace, clock, history, timers = systemClock } = options;
    this.#options = options;
    this.#book = new RunBook(trace);
    this.#queue = new WorkQueue({
      runs: trace.runs.filter(arrivesByItself),
      clock,
      history,
      timers,
      holds: (worker) => this.#downstream.holds(worker),
    });
    const { landsAfterAbort } = options.downstream;
    this.#downstream = new Downstream({
      clock,
      history,
      timers,
      landsAfterAbort,
      arrived: ({ worker, page, capability }) => {
        if (worker !== OPERATOR) this.#arrivals.add(page.run, capability);
      },
      heldEnded: () => this.#queue.heldEnded(),
    });
  }

  async openChannel(worker: string): Promise<Channel> {
    if (this.#closing !== null) {
      throw new KilldrillError('WORLD_CLOSED', `no channel for ${worker}: the world is closed already`);
    }
    const channel = this.#newChannel(worker);
    this.#channels.push(channel);
    this.#openChannels.add(channel);
    this.#tokens.add(channel.token);
    await channel.listen();
    const { id, url, port } = channel;
    const close = (): Promise<void> => {
      this.#openChannels.delete(channel);
      return channel.close();
    };
    return { id, worker, url, port, close };
  }

  startArrivals(t0Ns: number): void {
    this.#queue.start(t0Ns);
  }

  letLoose(runs: readonly TraceRun[]): void {
    this.#queue.letLoose(runs);
  }

  endArrivals(): void {
    this.#queue.end();
  }

  exposure(inScope: InScope): readonly WorkerExposure[] {
    const byWorker = new Map<string, { open: number; held: OpenCall[] }>();
    for (const { worker } of this.#openChannels) if (worker !== OPERATOR) byWorker.set(worker, { open: 0, held: [] });
    for (const call of this.#downstream.openCalls()) {
      const of = byWorker.get(call.worker);
      if (of === undefined || !inScope(call.run, call.capability)) continue;
      of.open += 1;
      if (call.held) of.held.push(call);
    }
    return [...byWorker].map(([worker, of]) => ({ worker, ...of }));
  }

  effectsInScope(inScope: InScope): number {
    return this.#arrivals.count(inScope);
  }

  counts(): WorldCounts {
    return {
      channels: this.#channels.map(({ id, worker, tally }) => ({ channel: id, worker, ...tally })),
      inFlight: this.#downstream.inFlight,
      due: this.#queue.due,
      waiting: this.#queue.waiting,
      unattributed: this.#unattributed,
    };
  }

  closeOpenCalls(): void {
    for (const channel of this.#openChannels) channel.closeOpenCalls();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#queue.end();
    await Promise.all(this.#channels.map((channel) => channel.close()));
    this.#openChannels.clear();
    this.#downstream.close();
  }

  #newChannel(worker: string): ChannelServer {
    const { clock, history, loop, limits } = this.#options;
    return new ChannelServer({
      id: this.#channels.length + 1,
      worker,
      clock,
      history,
      loop,
      book: this.#book,
      queue: this.#queue,
      downstream: this.#downstream,
      limits: { ...CHANNEL_LIMITS, ...limits },
      unattributed: (port, path, why, at) => this.#onUnattributed(port, path, why, at),
      isOtherToken: (token) => this.#tokens.has(token),
    });
  }

  #onUnattributed(port: number, path: string, why: string, at: Interval): void {
    this.#unattributed += 1;
    if (this.#unattributed > MAX_UNATTRIBUTED_EVENTS) return;
    this.#options.history.append({ type: 'effect.unattributed', port, path, why }, at);
  }
}
