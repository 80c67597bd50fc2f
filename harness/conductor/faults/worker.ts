import { KilldrillError } from '../../../src/errors.ts';
import { DRILL_TIMES } from '../../drill/drill.ts';
import { lookUpProcess } from '../../environment/process-table.ts';
import { whyNotReady } from '../../fleet/ready.ts';
import type { Fault } from '../fault.ts';
import { waitUntil } from '../../environment/wait.ts';

const SEEN_BOUND_MS = 2_000;
const LOOK_MS = 2;

/** SIGKILL to a worker. Observed when it has ended; recovers by a new incarnation that is ready. */
export function killWorker(worker: string): Fault {
  return {
    endsWhatItHits: true,
    async inject({ fleet }, observed) {
      const victim = fleet.process(worker);
      victim.signal('SIGKILL', { expected: true });
      await victim.exited;
      observed();
    },
    async recover({ fleet, signal }) {
      const born = await fleet.spawn(worker);
      const settled = (): boolean => born.isReady || born.hasExited;
      await waitUntil(settled, { boundMs: DRILL_TIMES.readyMs, everyMs: LOOK_MS, signal });
      if (!born.isReady || born.hasExited)
        throw new KilldrillError('WORKER_NOT_BACK', `${worker} did not come back: ${whyNotReady(born)}`);
    },
  };
}

/** SIGTERM to a worker, as a deployment does it, and SIGKILL if it does not end. Observed when it has ended; recovers as a killed one does. */
export function restartWorker(worker: string): Fault {
  return {
    ...killWorker(worker),
    async inject({ fleet, signal }, observed) {
      const victim = fleet.process(worker);
      victim.signal('SIGTERM', { expected: true });
      await waitUntil(() => victim.hasExited, { boundMs: DRILL_TIMES.byeMs, everyMs: LOOK_MS, signal });
      victim.signal('SIGKILL', { expected: true });
      await victim.exited;
      observed();
    },
  };
}

/** SIGSTOP to a worker. Observed when the system says that it is stopped; recovers by SIGCONT. */
export function pauseWorker(worker: string): Fault {
  return {
    endsWhatItHits: false,
    async inject({ fleet, signal }, observed) {
      const victim = fleet.process(worker);
      victim.signal('SIGSTOP', { expected: false });
      const stopped = (): boolean => isStopped(victim.pid);
      if (await waitUntil(stopped, { boundMs: SEEN_BOUND_MS, everyMs: LOOK_MS, signal })) observed();
    },
    async recover({ fleet, signal }) {
      const sleeper = fleet.process(worker);
      sleeper.signal('SIGCONT', { expected: false });
      await waitUntil(() => !isStopped(sleeper.pid), { boundMs: SEEN_BOUND_MS, everyMs: LOOK_MS, signal });
    },
  };
}

function isStopped(pid: number): boolean {
  return lookUpProcess(pid)?.stopped === true;
}
