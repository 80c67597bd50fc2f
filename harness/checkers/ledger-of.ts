import type { ChannelId, EventOf } from '../history/event.ts';
import { callName, isJournaled } from './effects-of.ts';
import type { WitnessedEffect } from './effects-of.ts';
import type { DrillIndex } from './index-of.ts';
import type { Incarnation } from './workers-of.ts';

type IntentRow = EventOf<'store.intent'>;

/** Both accounts of one run's idempotency key on one channel: what the worker wrote, and what the world saw. */
export interface Account {
  readonly life: Incarnation;
  readonly intents: readonly IntentRow[];
  readonly arrivals: readonly WitnessedEffect[];
}

export interface Accounts {
  readonly accounts: readonly Account[];
  /** Rows of incarnations that no worker of the drill announced. */
  readonly orphans: readonly IntentRow[];
}

type Draft = { life: Incarnation; intents: IntentRow[]; arrivals: WitnessedEffect[] };

/** Journal and world side by side. Arrivals of journal-free steps are left out: nobody promised a row for them. */
export function accountsOf(index: DrillIndex): Accounts {
  const lives = livesByIncarnation(index);
  const drafts = new Map<string, Draft>();
  const account = (life: Incarnation, call: string): Draft => {
    const id = `${life.channel} ${call}`;
    const draft = drafts.get(id) ?? { life, intents: [], arrivals: [] };
    drafts.set(id, draft);
    return draft;
  };
  const orphans: IntentRow[] = [];
  for (const intent of index.intents) {
    const life = lives.get(intent.incarnation);
    if (life === undefined) orphans.push(intent);
    else account(life, callName(intent)).intents.push(intent);
  }
  for (const effect of index.effects) {
    if (isJournaled(effect))
      account(lifeOf(index, effect.channel, effect.worker), callName({ ...effect, run: effect.run.run })).arrivals.push(
        effect,
      );
  }
  return { accounts: [...drafts.values()], orphans };
}

function livesByIncarnation(index: DrillIndex): ReadonlyMap<string, Incarnation> {
  const lives = new Map<string, Incarnation>();
  for (const life of index.incarnations.values()) if (life.incarnation !== null) lives.set(life.incarnation, life);
  return lives;
}

/** A channel that nobody was seen to be spawned on still has its arrivals counted. */
function lifeOf(index: DrillIndex, channel: ChannelId, worker: string): Incarnation {
  const unseen = { worker, channel, spawnedNs: 0, readyNs: null, incarnation: null, exit: null, bye: null };
  return index.incarnations.get(channel) ?? unseen;
}
