import type { Finding } from './checker.ts';
import { error, fail } from './finding.ts';
import type { DrillIndex } from './index-of.ts';
import type { Account } from './ledger-of.ts';
import type { Incarnation } from './workers-of.ts';

/**
 * What a worker said of itself when it ended, against what the world and the store counted; null when they agree.
 *
 * A dispatched call may have ended before it reached the world, and an admitted batch may have been given up before its
 * answer came; each such difference needs a row or a planned step that accounts for it.
 */
export function falseClaim(index: DrillIndex, life: Incarnation, accounts: readonly Account[]): Finding | null {
  const { worker, channel, bye, exit } = life;
  const evidence = { worker, channel };
  if (bye === null) {
    const own = index.scenario.fleet.command === null;
    if (!own || exit === null) return null;
    if (exit.code === 0)
      return error(
        `${worker} ended in good order without its last word, so the tail of its output is missing`,
        evidence,
      );
    // A fault's victim cannot speak; who is asked to end, and has to be forced, or breaks over it, keeps its counts from us.
    if (exit.t0 < (index.phases.get('stopping') ?? Number.POSITIVE_INFINITY)) return null;
    const how = exit.signal ?? `code ${exit.code ?? 0}`;
    return error(`${worker} was asked to end and did so by ${how} without its last word`, { ...evidence, how });
  }
  const mine = accounts.filter((account) => account.life.channel === channel);
  return effectsClaim(index, life, bye.effects, mine) ?? intentsClaim(life, bye.intents, mine);
}

function effectsClaim(index: DrillIndex, life: Incarnation, claimed: number, mine: readonly Account[]): Finding | null {
  const seen = index.effects.filter((effect) => effect.channel === life.channel).length;
  const evidence = { worker: life.worker, channel: life.channel, claimed, seen };
  if (claimed < seen) return fail(`${life.worker} claims ${claimed} effects, and the world saw ${seen}`, evidence);
  const lost = lostOnTheWay(mine) + unseenJournalFree(index);
  if (claimed <= seen + lost) return null;
  return error(
    `${life.worker} claims ${claimed} effects, and the world saw ${seen}: the witness may have lost its tail`,
    {
      ...evidence,
      accountedFor: lost,
    },
  );
}

/** Intents whose call may have left and was never seen. */
function lostOnTheWay(mine: readonly Account[]): number {
  let lost = 0;
  for (const { intents, arrivals } of mine) lost += Math.max(0, intents.length - arrivals.length);
  return lost;
}

/** Planned journal-free steps that never arrived, of any run of the trace: any of them may be a call that was aborted on its way. */
function unseenJournalFree(index: DrillIndex): number {
  const seen = new Set(index.effects.map(({ run, step }) => `${run.run} ${step}`));
  let unseen = 0;
  for (const run of index.runs.values()) {
    unseen += run.plan.filter(({ journal }, step) => !journal && !seen.has(`${run.run} ${step}`)).length;
  }
  return unseen;
}

function intentsClaim(life: Incarnation, claimed: number, mine: readonly Account[]): Finding | null {
  const rows = mine.flatMap(({ intents }) => intents);
  const unanswered = rows.filter(({ outcome }) => outcome === 'blocked' || outcome === null).length;
  if (claimed <= rows.length && claimed >= rows.length - unanswered) return null;
  return fail(`${life.worker} claims ${claimed} intents, and the journal has ${rows.length}`, {
    worker: life.worker,
    channel: life.channel,
    claimed,
    rows: rows.length,
    unanswered,
  });
}
