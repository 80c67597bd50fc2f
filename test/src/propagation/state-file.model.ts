import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { KilldrillError } from '../../../src/errors.ts';
import { judgeState } from '../../../src/propagation/judge-state.ts';
import type { JudgeState, StateJudgement } from '../../../src/propagation/judge-state.ts';
import { parseStateFile } from '../../../src/propagation/state-text.ts';
import { RUNNING, SOMEBODY, follow, nextTick, openSwitch } from './state-stage.ts';
import type { Follower } from './state-stage.ts';

/** What a reader is told to do worse than it should. */
export type WeakerRule =
  | 'none'
  | 'goes on with a torn file'
  | 'goes on without a file'
  | 'accepts a replay'
  | 'a hand may release'
  | 'believes any seal'
  | 'sees no file named HALT'
  | 'forgets a stop whose file is gone';

/** What happens to the folder, or to a reader. */
export type Act =
  | {
      readonly kind:
        'engage' | 'release' | 'tear' | 'remove' | 'replay' | 'raise' | 'lower' | 'forge' | 'put HALT' | 'take HALT';
    }
  | { readonly kind: 'look' | 'restart'; readonly reader: number };

const READERS = 3;
const KINDS = [
  'engage',
  'release',
  'tear',
  'remove',
  'replay',
  'raise',
  'lower',
  'forge',
  'put HALT',
  'take HALT',
] as const;
const reader = fc.nat(READERS - 1);

export const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...KINDS).map((kind): Act => ({ kind })) },
    { weight: 1, arbitrary: fc.constant<Act>({ kind: 'engage' }) },
    { weight: 4, arbitrary: reader.map((one): Act => ({ kind: 'look', reader: one })) },
    reader.map((one): Act => ({ kind: 'restart', reader: one })),
  ),
  { minLength: 1, maxLength: 14, size: 'max' },
);

/** One reader, and what it has seen. */
interface Watched {
  follower: Follower;
  /** A stop that was open has been enforced here since the last release. */
  hasSeenStop: boolean;
  /** The newest sealed file it has seen, by its number. */
  sequence: number;
}

/** A folder with a state file, its operator, readers, and hands that mean no good. */
export class StateWorld {
  readonly #folder: string;
  readonly #path: string;
  readonly #rule: WeakerRule;
  readonly #readers: Watched[];
  readonly #written: string[] = [];
  /** A stop was taken and not released: by a program, or by a hand. */
  #isStopped = false;

  constructor(folder: string, rule: WeakerRule) {
    this.#folder = folder;
    this.#path = join(folder, 'state.json');
    this.#rule = rule;
    openSwitch(this.#path).create();
    this.#written.push(this.#text() ?? '');
    this.#readers = Array.from({ length: READERS }, () => this.#born());
  }

  async act(act: Act): Promise<void> {
    if (act.kind === 'look') this.#look(act.reader);
    else if (act.kind === 'restart') this.#readers[act.reader] = this.#born();
    else if (act.kind === 'engage') await this.#engage();
    else if (act.kind === 'release') await this.#release();
    else this.#byHand(act.kind);
  }

  /** An operator can always get the fleet going again: by a stop, which mends the file, and its release. */
  async end(): Promise<void> {
    await this.#engage();
    for (let nth = 0; nth < READERS; nth += 1) this.#look(nth);
    await this.#release();
    for (const { follower } of this.#readers) {
      follower.feed.look();
      // A reader may hold what was released while it did not look, by a file that has been removed since.
      const engagements = follower.registry.openEngagements().map(({ id }) => id);
      await openSwitch(this.#path).disengage('a test', { engagements });
      follower.feed.look();
      if (!follower.feed.verified()) throw new Error(`it stays unverified: ${follower.feed.refusal?.why}`);
      if (follower.registry.decide(SOMEBODY).kind === 'halt') throw new Error('it stays stopped after the release');
    }
  }

  #born(): Watched {
    const judge = (): JudgeState => weaker(this.#rule);
    const keepsHandStops = this.#rule !== 'forgets a stop whose file is gone';
    return { follower: follow(this.#path, { judge, keepsHandStops }), hasSeenStop: false, sequence: 0 };
  }

  async #engage(): Promise<void> {
    await openSwitch(this.#path).engage('a test');
    this.#isStopped = true;
    this.#written.push(this.#text() ?? '');
  }

  async #release(): Promise<void> {
    try {
      // As an operator does: what the fleet is stopped by is looked for anew.
      await openSwitch(this.#path).disengage('a test');
    } catch (error) {
      if (error instanceof KilldrillError && error.code === 'STATE_FILE_DAMAGED') return;
      throw error;
    }
    this.#isStopped = false;
    for (const one of this.#readers) one.hasSeenStop = false;
    this.#written.push(this.#text() ?? '');
  }

  #byHand(kind: Exclude<Act['kind'], 'look' | 'restart' | 'engage' | 'release'>): void {
    nextTick(this.#folder);
    const text = this.#text();
    const halt = join(this.#folder, 'HALT');
    if (kind === 'put HALT') {
      writeFileSync(halt, 'a hand');
      this.#isStopped = true;
    } else if (kind === 'take HALT') rmSync(halt, { force: true });
    else if (kind === 'remove') rmSync(this.#path, { force: true });
    else if (text === null) return;
    else if (kind === 'tear') writeFileSync(this.#path, text.slice(0, Math.floor(text.length / 2)));
    else if (kind === 'replay') writeFileSync(this.#path, this.#written[0] ?? '');
    else if (kind === 'lower') writeFileSync(this.#path, text.replace(/"halt_all"/g, '"disengaged"'));
    else if (kind === 'forge') writeFileSync(this.#path, forged(text));
    else if (text.includes(RUNNING)) {
      writeFileSync(this.#path, text.replace(RUNNING, '"global:*": "halt_all"'));
      if (typeof parseStateFile(text) !== 'string') this.#isStopped = true;
    }
  }

  #look(nth: number): void {
    const one = this.#readers[nth];
    if (one === undefined) return;
    if (this.#rule === 'forgets a stop whose file is gone') one.follower = this.#born().follower;
    const { feed, registry } = one.follower;
    feed.look();
    const isHalted = registry.decide(SOMEBODY).kind === 'halt';
    const isRefused = !feed.verified();
    if (one.hasSeenStop && !isHalted) throw new Error('a stop that was seen, and not released, is gone');
    // A hand may take its own HALT away before anybody has looked: then nobody has been told.
    if (this.#isStopped && this.#holdsStop() && !isHalted && !isRefused)
      throw new Error('it runs, though somebody said stop');
    const wrong = this.#wrongWith(one);
    if (wrong !== null && !isRefused) throw new Error(`it trusts a file that is ${wrong}`);
    if (this.#isStopped && isHalted) one.hasSeenStop = true;
    const read = parseStateFile(this.#text() ?? '');
    if (wrong === null && typeof read !== 'string') one.sequence = Math.max(one.sequence, read.state.sequence);
  }

  /** Whether the stop is still in the folder: in the state file, or beside it. */
  #holdsStop(): boolean {
    return existsSync(join(this.#folder, 'HALT')) || /"halt_all"/.test(this.#text() ?? '');
  }

  #wrongWith({ sequence }: Watched): string | null {
    const text = this.#text();
    if (text === null) return 'missing';
    const read = parseStateFile(text);
    if (typeof read === 'string') return 'torn';
    if (read.state.sequence < sequence) return 'replayed';
    if (!this.#written.some((one) => typeof one === 'string' && sealOf(one) === read.seal)) return null;
    const genuine = this.#written.find((one) => sealOf(one) === read.seal) ?? '';
    const was = parseStateFile(genuine);
    if (typeof was === 'string') return null;
    if (JSON.stringify(was.state) !== JSON.stringify(read.state)) return 'forged';
    const isLowered = was.switches['global:*'] === 'halt_all' && read.switches['global:*'] === 'disengaged';
    return isLowered ? 'lowered by hand' : null;
  }

  #text(): string | null {
    return existsSync(this.#path) ? readFileSync(this.#path, 'utf8') : null;
  }
}

function sealOf(text: string): string | null {
  const read = parseStateFile(text);
  return typeof read === 'string' ? null : read.seal;
}

/** Takes the stops out, and leaves the seal as it was. */
function forged(text: string): string {
  const read = parseStateFile(text);
  if (typeof read === 'string') return text;
  const { state, seal } = read;
  const switches = { 'global:*': 'disengaged' };
  return JSON.stringify({ killdrill: 1, switches, reason: '', state: { ...state, stops: [], ended: [] }, seal });
}

function weaker(rule: WeakerRule): JudgeState {
  const without =
    (code: string): JudgeState =>
    (sighting, memory, context) => {
      const judged = judgeState(sighting, memory, context);
      return judged.refusal?.code === code ? trusted(judged) : judged;
    };
  if (rule === 'goes on with a torn file') return without('torn');
  if (rule === 'goes on without a file') return without('missing');
  if (rule === 'accepts a replay')
    return (sighting, _, context) => judgeState(sighting, { sequence: 0, seal: null }, context);
  if (rule === 'a hand may release') return without('lowered');
  if (rule === 'believes any seal') {
    const seal = { make: null, holds: () => true };
    return (sighting, memory, context) =>
      judgeState(sighting, { ...memory, seal: sealIn(sighting) }, { ...context, seal });
  }
  if (rule === 'sees no file named HALT') return (sighting, ...rest) => judgeState({ ...sighting, halts: [] }, ...rest);
  return judgeState;
}

function sealIn({ state }: Parameters<JudgeState>[0]): string | null {
  return state.kind === 'file' ? sealOf(state.file.text) : null;
}

function trusted(judged: StateJudgement): StateJudgement {
  return { ...judged, refusal: null };
}
