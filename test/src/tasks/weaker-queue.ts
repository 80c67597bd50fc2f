import { MemoryStore } from '../../../src/store/memory.ts';
import { journalKey } from '../../../src/store/memory-state.ts';
import type { MemoryState } from '../../../src/store/memory-state.ts';
import type { ClaimToken } from '../../../src/store/store.ts';

/** The memory store, and a hand in its tables. */
class Weaker extends MemoryStore {
  protected readonly state: MemoryState;

  constructor(state: MemoryState) {
    super(state);
    this.state = state;
  }
}

/** Changes what types hold for unchangeable: somebody else's code, after all, would not ask. */
function spoil<Row extends object>(row: Row | null | undefined, parts: Partial<Row>): void {
  if (row !== null && row !== undefined) Object.assign(row, parts);
}

class DiscardsUntilReleased extends Weaker {
  override async flip(text: string, signature: string | null): ReturnType<MemoryStore['flip']> {
    const answer = await super.flip(text, signature);
    for (const one of this.state.engagements) if (one.closedRevision !== null) spoil(one, { queue: 'park' });
    return answer;
  }
}

class ReleasesTheSwitch extends Weaker {
  override async flip(text: string, signature: string | null): ReturnType<MemoryStore['flip']> {
    const answer = await super.flip(text, signature);
    const closed = this.state.engagements.filter(({ closedRevision }) => closedRevision === answer.record.revision);
    for (const one of this.state.engagements) {
      const isAlike = closed.some(({ on }) => on.scope === one.on.scope && on.target === one.on.target);
      if (isAlike && one.closedRevision === null) one.closedRevision = answer.record.revision;
    }
    return answer;
  }
}

class DrainsForEver extends Weaker {
  override async flip(text: string, signature: string | null): ReturnType<MemoryStore['flip']> {
    const answer = await super.flip(text, signature);
    for (const one of this.state.engagements) if (one.queue === 'drain') spoil(one, { drainUntilMs: Infinity });
    return answer;
  }
}

class DiscardsInTheMildestMode extends Weaker {
  override async flip(text: string, signature: string | null): ReturnType<MemoryStore['flip']> {
    const answer = await super.flip(text, signature);
    for (const one of this.state.engagements) {
      if (one.mode === 'halt_noncritical' && one.queue === 'discard') spoil(one, { mode: 'halt_all' });
    }
    return answer;
  }
}

class RefusalsSpendAttempts extends Weaker {
  override async halted(claim: ClaimToken, engagement: string | null): ReturnType<MemoryStore['halted']> {
    const answer = await super.halted(claim, engagement);
    const stored = this.state.tasks.get(claim.task);
    if (answer !== null && stored !== undefined) stored.attempts += 1;
    return answer;
  }
}

class ForgetsWhatStoppedIt extends Weaker {
  override halted(claim: ClaimToken): ReturnType<MemoryStore['halted']> {
    return super.halted(claim, null);
  }
}

class ForgetsWhenItWasClaimed extends Weaker {
  override halted(claim: ClaimToken, engagement: string | null): ReturnType<MemoryStore['halted']> {
    spoil(this.state.tasks.get(claim.task)?.claim, { revision: -1 });
    return super.halted(claim, engagement);
  }
}

class RequeuesWhatMayHaveHappened extends Weaker {
  override claim(...asked: Parameters<MemoryStore['claim']>): ReturnType<MemoryStore['claim']> {
    for (const { incarnation, intent } of this.state.intents.values()) {
      const key = journalKey(incarnation, intent.seq);
      const outcome = { seq: intent.seq, kind: 'blocked' as const, detail: null };
      if (!this.state.outcomes.has(key)) this.state.outcomes.set(key, { incarnation, outcome });
    }
    return super.claim(...asked);
  }
}

class HearsEverybody extends Weaker {
  override finish(claim: ClaimToken, ...rest: ['done', string?]): ReturnType<MemoryStore['finish']> {
    const token = this.state.tasks.get(claim.task)?.claim?.token ?? claim.token;
    return super.finish({ task: claim.task, token }, ...rest);
  }
}

class RetriesAreLetInAnew extends Weaker {
  override retry(claim: ClaimToken, delayMs: number): ReturnType<MemoryStore['retry']> {
    const stored = this.state.tasks.get(claim.task);
    if (stored?.claim?.token === claim.token) stored.admittedRevision = this.state.head.revision;
    return super.retry(claim, delayMs);
  }
}

class ResumesUnderTheOldStamp extends Weaker {
  override async resume(...asked: Parameters<MemoryStore['resume']>): ReturnType<MemoryStore['resume']> {
    const stamps = [...this.state.tasks.values()].map((stored) => [stored, stored.admittedRevision] as const);
    const answer = await super.resume(...asked);
    for (const [stored, stamp] of stamps) stored.admittedRevision = stamp;
    return answer;
  }
}

class ReleasesWhatRuns extends Weaker {
  override async sweep(limit: number): ReturnType<MemoryStore['sweep']> {
    const oldest = this.state.sweeps.find(({ done }) => !done);
    if (oldest?.kind === 'release') {
      for (const stored of this.state.tasks.values()) {
        if (stored.state === 'running') Object.assign(stored, { state: 'queued', claim: null });
      }
    }
    return super.sweep(limit);
  }
}

class SweepsOneBatch extends Weaker {
  override async sweep(limit: number): ReturnType<MemoryStore['sweep']> {
    const oldest = this.state.sweeps.find(({ done }) => !done);
    const answer = await super.sweep(limit);
    if (oldest !== undefined) oldest.done = true;
    return answer;
  }
}

class AsksTheClassAtTheClaim extends Weaker {
  override claim(...asked: Parameters<MemoryStore['claim']>): ReturnType<MemoryStore['claim']> {
    const isOn = this.state.critical.classes.length > 0;
    for (const stored of this.state.tasks.values()) {
      spoil(stored, { critical: isOn && stored.task.feature === 'billing' });
    }
    return super.claim(...asked);
  }
}

class LosesWhatIsDiscarded extends Weaker {
  override async sweep(limit: number): ReturnType<MemoryStore['sweep']> {
    const answer = await super.sweep(limit);
    for (const [id, { state }] of this.state.tasks) if (state === 'discarded') this.state.tasks.delete(id);
    return answer;
  }
}

/** Wordings weaker than DESIGN §3.11, each a small change of the real store, and what the model says of it. */
export const WEAKER: readonly (readonly [flaw: string, make: (state: MemoryState) => MemoryStore, said: RegExp])[] = [
  ['a discard ends with its release', (state) => new DiscardsUntilReleased(state), /discarded|became/],
  [
    'a release lifts every stop of its switch',
    (state) => new ReleasesTheSwitch(state),
    /halted|not open|became|states/,
  ],
  ['a drain never ends', (state) => new DrainsForEver(state), /halted|became|states/],
  ['the mildest mode discards', (state) => new DiscardsInTheMildestMode(state), /became|resumed|states|critical/],
  ['a refusal spends an attempt', (state) => new RefusalsSpendAttempts(state), /attempts/],
  ['nobody remembers which stop met a run', (state) => new ForgetsWhatStoppedIt(state), /became|states|halted/],
  ['a stop that was over at the claim still discards', (state) => new ForgetsWhenItWasClaimed(state), /became/],
  [
    'what may have happened is queued again',
    (state) => new RequeuesWhatMayHaveHappened(state),
    /effect open|became|states/,
  ],
  ['an old claim still counts', (state) => new HearsEverybody(state), /another one/],
  ['a retry is let in anew', (state) => new RetriesAreLetInAnew(state), /discarded|stamp|became/],
  [
    'a resume keeps the old stamp',
    (state) => new ResumesUnderTheOldStamp(state),
    /stamp|never end|resumed|states|left behind/,
  ],
  ['a release queues what runs', (state) => new ReleasesWhatRuns(state), /while it was running|its own|effect open/],
  ['a sweep ends with its first batch', (state) => new SweepsOneBatch(state), /states|left behind/],
  [
    'the class is looked up at the claim',
    (state) => new AsksTheClassAtTheClaim(state),
    /critical|became|states|halted/,
  ],
  ['what is discarded is thrown away', (state) => new LosesWhatIsDiscarded(state), /tasks that the store has|states/],
];
