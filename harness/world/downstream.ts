import type { Clock } from '../../src/clock.ts';
import type { DrillClock } from '../history/clock.ts';
import type { ChannelId } from '../history/event.ts';
import type { HistorySink, Interval } from '../history/write.ts';
import type { TraceRun } from '../traffic/trace.ts';
import type { KeyState, RunPage } from './run-book.ts';

/** What a channel has seen, for the progress line and for comparing with its worker's own count. */
export interface ChannelTally {
  arrived: number;
  open: number;
  landed: number;
  failed: number;
  closed: number;
  handed: number;
}

export interface EffectRequest {
  readonly channel: ChannelId;
  readonly worker: string;
  readonly tally: ChannelTally;
  readonly page: RunPage;
  readonly capability: string;
  readonly key: string;
  /** Sends the answer; called at most once. */
  readonly answer: () => void;
}

/** An open call in a worker's hands, for `when: exposed`. */
export interface OpenCall {
  readonly effect: number;
  readonly worker: string;
  readonly run: TraceRun;
  readonly capability: string;
  /** A primed run's first step: it is there to be caught by the stop. */
  readonly held: boolean;
  readonly remainingMs: number;
}

export interface DownstreamOptions {
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly timers: Pick<Clock, 'after'>;
  /** A slow downstream that does the work although its caller has gone. */
  readonly landsAfterAbort: boolean;
  /** Called when a held call is no longer open. */
  readonly heldEnded: () => void;
}

/** Where effects land, and the record of each. */
export class Downstream {
  readonly #options: DownstreamOptions;
  readonly #open = new Set<Call>();
  /** Calls whose caller has gone and that land all the same. */
  readonly #orphans = new Set<Call>();
  #effects = 0;

  constructor(options: DownstreamOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#open.size;
  }

  /** Records an effect's arrival. */
  arrive(request: EffectRequest, at: Interval): Call {
    this.#effects += 1;
    const effect = this.#effects;
    const { channel, worker, page, capability, key, tally } = request;
    const taken = page.take(capability, key);
    const what = { effect, channel, worker, run: page.run.run, capability, key };
    this.#options.history.append({ type: 'effect.arrived', ...what, step: taken.key.step, repeat: taken.repeat }, at);
    tally.arrived += 1;
    return new Call(effect, request, taken.key, this.#options.clock.nowNs() + taken.key.serviceMs * 1e6);
  }

  /** Serves a call that has arrived; a key that has landed is answered at once and lands nothing again. */
  serve(call: Call): void {
    if (call.key.landed) {
      call.request.answer();
      return;
    }
    this.#open.add(call);
    call.request.tally.open += 1;
    call.cancelService = this.#options.timers.after(call.key.serviceMs, () => {
      call.served = true;
      call.cancelService = null;
      if (call.bodyIn) this.#land(call);
    });
  }

  /** The request's body is in; without it nothing lands. */
  bodyIn(call: Call): void {
    call.bodyIn = true;
    if (call.served) this.#land(call);
  }

  /** The downstream refuses an open call. */
  refuse(call: Call): void {
    if (!this.#takeOut(call)) return;
    call.stopService();
    call.request.tally.failed += 1;
    this.#options.history.append({ type: 'effect.failed', effect: call.effect });
  }

  /** The connection of an open call was closed; a call that was answered is left as it is. */
  closed(call: Call, by: 'worker' | 'harness', at?: Interval): void {
    if (!this.#takeOut(call)) return;
    // What has come in whole can be done without its caller; half a request can not.
    if (this.#options.landsAfterAbort && by === 'worker' && call.bodyIn) this.#orphans.add(call);
    else call.stopService();
    call.request.tally.closed += 1;
    this.#options.history.append({ type: 'effect.closed', effect: call.effect, by }, at);
  }

  *openCalls(): Generator<OpenCall> {
    const now = this.#options.clock.nowNs();
    for (const { effect, request, held, endsNs } of this.#open) {
      const { worker, page, capability } = request;
      yield { effect, worker, run: page.run, capability, held, remainingMs: Math.max(0, (endsNs - now) / 1e6) };
    }
  }

  /** Whether a worker has a held call open. */
  holds(worker: string): boolean {
    for (const call of this.#open) if (call.held && call.request.worker === worker) return true;
    return false;
  }

  /** Forgets what has not landed; no timer is left. */
  close(): void {
    for (const call of [...this.#open]) this.closed(call, 'harness');
    for (const call of this.#orphans) call.stopService();
    this.#orphans.clear();
  }

  #land(call: Call): void {
    if (!this.#open.has(call) && !this.#orphans.delete(call)) return;
    // Another call with the same key may have landed it meanwhile.
    if (!call.key.landed) {
      call.key.landed = true;
      call.request.tally.landed += 1;
      this.#options.history.append({ type: 'effect.landed', effect: call.effect });
    }
    if (this.#takeOut(call)) call.request.answer();
  }

  /** Takes a call out of the open ones; false when it is none. */
  #takeOut(call: Call): boolean {
    if (!this.#open.delete(call)) return false;
    call.request.tally.open -= 1;
    if (call.held) this.#options.heldEnded();
    return true;
  }
}

/** One request to the downstream. */
export class Call {
  readonly effect: number;
  readonly request: EffectRequest;
  readonly key: KeyState;
  readonly endsNs: number;
  bodyIn = false;
  served = false;
  cancelService: (() => void) | null = null;

  constructor(effect: number, request: EffectRequest, key: KeyState, endsNs: number) {
    this.effect = effect;
    this.request = request;
    this.key = key;
    this.endsNs = endsNs;
  }

  get held(): boolean {
    return this.request.page.run.primed === true && this.key.step === 0;
  }

  stopService(): void {
    this.cancelService?.();
    this.cancelService = null;
  }
}
