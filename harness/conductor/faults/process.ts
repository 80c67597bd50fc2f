import { KilldrillError } from '../../../src/errors.ts';
import { DRILL_TIMES } from '../../drill/drill.ts';
import { lookUpProcess } from '../../environment/process-table.ts';
import { waitUntil } from '../../environment/wait.ts';
import type { DrilledProcess } from '../../fleet/drilled-process.ts';
import { whyNotReady } from '../../fleet/ready.ts';
import { API } from '../../scenario/crew.ts';
import type { Fault, FaultGround } from '../fault.ts';
import { apiOf } from './api-of.ts';
import { executorsOf, isExecutor } from './executors-of.ts';

/** Processes under drill, by their names. */
interface Crew {
  /** The living one. @throws KilldrillError when there is none */
  process(name: string): DrilledProcess;
  spawn(name: string): Promise<DrilledProcess>;
}

const SEEN_BOUND_MS = 2_000;
const LOOK_MS = 2;

/** SIGKILL to a worker, an executor or the API. Observed when it has ended; recovers by a new life of it that is ready. */
export function killProcess(name: string): Fault {
  return {
    endsWhatItHits: true,
    async inject(ground, observed) {
      const victim = crewOf(name, ground).process(name);
      victim.signal('SIGKILL', { expected: true });
      await victim.exited;
      observed();
    },
    async recover(ground) {
      const born = await crewOf(name, ground).spawn(name);
      const settled = (): boolean => born.isReady || born.hasExited;
      await waitUntil(settled, { boundMs: DRILL_TIMES.readyMs, everyMs: LOOK_MS, signal: ground.signal });
      if (!born.isReady || born.hasExited)
        throw new KilldrillError('PROCESS_NOT_BACK', `${name} did not come back: ${whyNotReady(born)}`);
    },
  };
}

/** SIGTERM, as a deployment does it, and SIGKILL if it does not end. Observed when it has ended; recovers as a killed one does. */
export function restartProcess(name: string): Fault {
  return {
    ...killProcess(name),
    async inject(ground, observed) {
      const victim = crewOf(name, ground).process(name);
      victim.signal('SIGTERM', { expected: true });
      const ended = (): boolean => victim.hasExited;
      await waitUntil(ended, { boundMs: DRILL_TIMES.byeMs, everyMs: LOOK_MS, signal: ground.signal });
      victim.signal('SIGKILL', { expected: true });
      await victim.exited;
      observed();
    },
  };
}

/** SIGSTOP. Observed when the system says that it is stopped; recovers by SIGCONT. */
export function pauseProcess(name: string): Fault {
  return {
    endsWhatItHits: false,
    async inject(ground, observed) {
      const victim = crewOf(name, ground).process(name);
      victim.signal('SIGSTOP', { expected: false });
      const stopped = (): boolean => isStopped(victim.pid);
      if (await waitUntil(stopped, { boundMs: SEEN_BOUND_MS, everyMs: LOOK_MS, signal: ground.signal })) observed();
    },
    async recover(ground) {
      const sleeper = crewOf(name, ground).process(name);
      sleeper.signal('SIGCONT', { expected: false });
      const awake = (): boolean => !isStopped(sleeper.pid);
      await waitUntil(awake, { boundMs: SEEN_BOUND_MS, everyMs: LOOK_MS, signal: ground.signal });
    },
  };
}

function crewOf(name: string, ground: FaultGround): Crew {
  if (name === API) return apiOf(ground);
  return isExecutor(name) ? executorsOf(name, ground) : ground.fleet;
}

function isStopped(pid: number): boolean {
  return lookUpProcess(pid)?.stopped === true;
}
