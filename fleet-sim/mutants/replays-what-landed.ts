import type { ClaimedTask, Fence, Intent, TaskQueue } from '../../src/index.ts';
import type { Mutant, MutantContext } from './mutant.ts';

export const replaysWhatLanded: Mutant = {
  name: 'replays-what-landed',
  bug: 'a run that comes back after a stop begins at its first step, under fresh idempotency keys, whatever had landed',
  removes: ["claim's account of earlier effects", 'idempotency keys'],
  property: 'resume_completes_exactly_once',
  scenario: 'way-back',
  bend({ differs }) {
    const replays = new Replays(differs);
    return {
      store: (genuine) => ({
        ...genuine,
        tasks: replays.queue(genuine.tasks),
        fence: replays.fence(genuine.fence),
      }),
      tools: (genuine) => ({
        ...genuine,
        world: {
          sendEffect: (effect) =>
            genuine.world.sendEffect({ ...effect, idempotencyKey: replays.keyOf(effect.run, effect.idempotencyKey) }),
          // A child is asked for as before: by the same key it is the same child.
          spawn: (wish) => genuine.world.spawn(wish),
        },
      }),
    };
  },
};

const SPAWN = 'agent/spawn';

class Replays {
  readonly #differs: MutantContext['differs'];
  readonly #anew = new Set<string>();

  constructor(differs: MutantContext['differs']) {
    this.#differs = differs;
  }

  /** The key under which a run sends something, in the journal and in the world alike. */
  keyOf(run: string, key: string): string {
    return this.#anew.has(run) ? `${key}#again` : key;
  }

  queue(genuine: TaskQueue): TaskQueue {
    return {
      ...genuine,
      claim: async (incarnation, limit, claimMs) => {
        const claimed = await genuine.claim(incarnation, limit, claimMs);
        return claimed.map((task) => (isBack(task) ? this.#begin(task) : task));
      },
    };
  }

  fence(genuine: Fence): Fence {
    const anew = (intent: Intent): Intent =>
      intent.capability === SPAWN
        ? intent
        : { ...intent, idempotencyKey: this.keyOf(intent.run, intent.idempotencyKey) };
    return {
      admitIntents: (incarnation, head, intents) => genuine.admitIntents(incarnation, head, intents.map(anew)),
      enqueue: (head, tasks) => genuine.enqueue(head, tasks),
    };
  }

  #begin(task: ClaimedTask): ClaimedTask {
    this.#anew.add(task.run);
    this.#differs({
      input: { task: task.id, effects: task.effects },
      unmodified: 'goes on behind what landed',
      mutated: 'begins at its first step, under fresh keys',
    });
    return { ...task, effects: [] };
  }
}

/** A run that was stopped in its midst: it has landed something, and no attempt was spent on it as a retry spends one. */
function isBack({ kind, attempts, effects }: ClaimedTask): boolean {
  return (kind === 'run' || kind === 'child') && attempts === 0 && effects.some(({ outcome }) => outcome === 'landed');
}
