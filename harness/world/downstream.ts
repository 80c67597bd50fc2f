import type { Clock } from '../../src/clock.ts';
import type { DrillClock } from '../history/clock.ts';
import type { HistorySink, Interval } from '../history/write.ts';
import type { TraceRun } from '../traffic/trace.ts';
import { Call } from './call.ts';
import type { EffectRequest } from './call.ts';

/** An open call in a worker's hands, for `when: exposed`. */
export interface OpenCall {
  readonly effect: number;
  readonly worker: string;
  readonly run: TraceRun;
  readonly capability: string;
  /** It is there to be caught by the stop. */
  readonly held: boolean;
  readonly remainingMs: number;
}

export interface DownstreamOptions {
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly timers: Pick<Clock, 'after'>;
  /** A slow downstream that does the work although its caller has gone. */
  readonly landsAfterAbort: boolean;
  /** Called for each arrival. */
  readonly arrived: (request: EffectRequest) => void;
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
    const { channel, worker, page, capability, key, tally, taken } = request;
    const what = { effect, channel, worker, run: page.run.run, capability, key };
    this.#options.history.append({ type: 'effect.arrived', ...what, step: taken.key.step, repeat: taken.repeat }, at);
    tally.arrived += 1;
    this.#options.arrived(request);
    return new Call(effect, request, this.#options.clock.nowNs());
  }

  /** Serves a call that has arrived; a key that has landed is answered at once and lands nothing again. */
  serve(call: Call): void {
    if (call.key.landed) {
      call.request.answer.landed();
      return;
    }
    this.#open.add(call);
    call.request.tally.open += 1;
    // A refusal is said once the request is in: a client may not listen before it has spoken.
    if (call.request.refusal === null) this.#wait(call, call.parts);
  }

  /** The request's body is in; without it nothing lands. */
  bodyIn(call: Call): void {
    call.bodyIn = true;
    const { refusal, answer } = call.request;
    if (!this.#open.has(call)) return;
    if (refusal !== null) {
      this.refuse(call);
      answer.refused(refusal);
      return;
    }
    if (call.key.streams) answer.begin();
    if (call.served) this.#land(call);
  }

  /** The downstream does not do an open call; its caller is told by whoever calls this. */
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

  /** Waits out what is left of a call's service time, which is cut into equal parts. */
  #wait(call: Call, parts: number): void {
    call.cancelService = this.#options.timers.after(Math.ceil(call.key.serviceMs / call.parts), () => {
      if (parts > 1) {
        if (call.bodyIn && this.#open.has(call)) call.request.answer.piece();
        this.#wait(call, parts - 1);
        return;
      }
      call.served = true;
      call.cancelService = null;
      if (call.bodyIn) this.#land(call);
    });
  }

  #land(call: Call): void {
    if (!this.#open.has(call) && !this.#orphans.delete(call)) return;
    // Another call with the same key may have landed it meanwhile.
    if (!call.key.landed) {
      call.key.landed = true;
      call.request.tally.landed += 1;
      this.#options.history.append({ type: 'effect.landed', effect: call.effect });
      call.request.onLanded(call.effect);
    }
    if (this.#takeOut(call)) call.request.answer.landed();
  }

  /** Takes a call out of the open ones; false when it is none. */
  #takeOut(call: Call): boolean {
    if (!this.#open.delete(call)) return false;
    call.request.tally.open -= 1;
    if (call.held) this.#options.heldEnded();
    return true;
  }
}
