import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DrillClock } from '../history/clock.ts';
import type { ChannelId } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';
import type { TraceRun } from '../traffic/trace.ts';
import type { ChannelTally } from './call.ts';
import type { Connection, Poll } from './connection.ts';
import { handedRun } from './handed-run.ts';
import { reply } from './reply.ts';
import type { WorkQueue } from './work-queue.ts';

export interface WorkDoorOptions {
  readonly channel: ChannelId;
  readonly worker: string;
  readonly tally: ChannelTally;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly queue: WorkQueue;
  readonly maxPolls: number;
}

/** `GET {world}/work`: hands due runs to one channel's worker. */
export class WorkDoor {
  readonly #options: WorkDoorOptions;
  #polls = 0;

  constructor(options: WorkDoorOptions) {
    this.#options = options;
  }

  poll(connection: Connection, response: ServerResponse): void {
    const { queue, worker, maxPolls } = this.#options;
    if (this.#polls >= maxPolls) {
      reply(response, 429, { error: `more than ${maxPolls} open polls` });
      return;
    }
    const poll: Poll = { cancel: () => {} };
    connection.polls.add(poll);
    this.#polls += 1;
    const end = (): void => {
      connection.polls.delete(poll);
      this.#polls -= 1;
    };
    const take = (run: TraceRun): void => {
      end();
      this.#hand(connection, response, run).catch(() => response.destroy());
    };
    const nothing = (): void => {
      end();
      reply(response, 204, null);
    };
    const forget = queue.ask({ worker, take, nothing });
    poll.cancel = () => {
      forget();
      end();
    };
  }

  /** Writes the run one look at the sockets later: a peer that has died by now is known to be dead by then. */
  async #hand(connection: Connection, response: ServerResponse, run: TraceRun): Promise<void> {
    // The first of two turns may end without a look, when this was called by a socket's handler.
    await nextTurn();
    await nextTurn();
    if (connection.gone) this.#options.queue.giveBack(run);
    else this.#write(connection, response, run);
  }

  #write(connection: Connection, response: ServerResponse, run: TraceRun): void {
    const { channel, worker, tally, clock, history, queue } = this.#options;
    const t0 = clock.nowNs();
    let handed = false;
    response.once('finish', () => {
      if (connection.gone || connection.socket.destroyed) return;
      handed = true;
      connection.lastHanded = run;
      tally.handed += 1;
      history.append({ type: 'run.handed', run: run.run, worker, channel }, { t0, t1: clock.nowNs() });
    });
    response.once('close', () => {
      if (!handed) queue.giveBack(run);
    });
    const later = run.startAfterMs === undefined ? {} : { startAfterMs: run.startAfterMs };
    reply(response, 200, { ...handedRun(run), ...later });
  }
}
