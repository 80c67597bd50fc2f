import type {
  ClaimToken,
  ClaimedTask,
  NewTask,
  QueueCount,
  SweepAnswer,
  TaskEnd,
  TaskQueue,
  TaskState,
} from '../../src/store/store.ts';

/** A queue that answers what the test has put into it, and remembers what it was asked. */
export class ScriptedQueue implements TaskQueue {
  readonly asked: string[] = [];
  /** Tasks that the next claim answers. */
  waiting: ClaimedTask[] = [];
  /** Answers of the next sweeps; nothing to do once they are used up. */
  sweeps: (SweepAnswer | Error)[] = [];
  /** What every question waits for. */
  pace: () => Promise<void> = () => Promise.resolve();
  /** Tasks whose claims are another's by now. */
  readonly taken = new Set<string>();
  failing: Error | null = null;

  async #turn(what: string): Promise<void> {
    this.asked.push(what);
    await this.pace();
    if (this.failing !== null) throw this.failing;
  }

  async claim(_incarnation: string, limit: number, claimMs: number): Promise<readonly ClaimedTask[]> {
    await this.#turn(`claim ${limit} for ${claimMs}`);
    return this.waiting.splice(0, limit);
  }

  async extend(claims: readonly ClaimToken[], claimMs: number): Promise<readonly string[]> {
    await this.#turn(`extend ${claims.map(({ task }) => task).join()} for ${claimMs}`);
    return claims.map(({ task }) => task).filter((task) => !this.taken.has(task));
  }

  async finish({ task }: ClaimToken, end: TaskEnd): Promise<boolean> {
    await this.#turn(`finish ${task} ${end}`);
    return true;
  }

  async halted({ task }: ClaimToken): Promise<TaskState | null> {
    await this.#turn(`halted ${task}`);
    return 'parked';
  }

  async retry({ task }: ClaimToken): Promise<TaskState | null> {
    await this.#turn(`retry ${task}`);
    return 'queued';
  }

  async giveBack({ task }: ClaimToken): Promise<boolean> {
    await this.#turn(`giveBack ${task}`);
    return true;
  }

  async sweep(limit: number): Promise<SweepAnswer> {
    const answer = this.sweeps.shift() ?? { swept: 0, more: false };
    await this.#turn(`sweep ${limit}`);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  async counts(): Promise<readonly QueueCount[]> {
    await this.#turn('counts');
    return [{ kind: 'run', state: 'queued', retries: 0, count: 3 }];
  }
}

export const TASK: NewTask = {
  id: 't1',
  kind: 'run',
  run: 'r1',
  tenant: 'acme',
  feature: null,
  agent: 'a1',
  lineage: ['root'],
  capability: null,
  plan: { steps: 1 },
  due: { kind: 'now' },
  pastDue: 'fire',
  repeat: null,
};

export function claimedTask(id: string, what: Partial<ClaimedTask> = {}): ClaimedTask {
  const { kind, tenant, feature, agent, lineage, capability, plan, repeat } = TASK;
  return {
    ...{ id, token: `token-${id}`, run: id, kind, tenant, feature, agent, lineage, capability, plan, repeat },
    ...{ dueAt: '2026-01-01T00:00:00.000Z', skipped: false, attempts: 0, admittedRevision: 0, critical: false },
    effects: [],
    ...what,
  };
}
