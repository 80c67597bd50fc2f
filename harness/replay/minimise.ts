import { nameOf } from '../checkers/flips-of.ts';
import type { TimelineEntry } from '../scenario/scenario.ts';
import type { DrillPlan } from '../traffic/plan-drill.ts';
import { ddmin } from './ddmin.ts';
import type { Held } from './ddmin.ts';
import { entriesThatStay } from './reduce-timeline.ts';
import { reducedPlan, wholeOf } from './reduce-plan.ts';
import type { Selection } from './reduce-plan.ts';

/** What a drill of a candidate said. `refused`: the validator did not let it be drilled. */
export type Tried =
  | { readonly kind: 'holds' }
  | { readonly kind: 'lost' | 'refused'; readonly why: string }
  /** Nothing may be tried any more. */
  | { readonly kind: 'spent' };

/** One candidate that was drilled. Each is drilled once. */
export interface Step {
  /** What it does without, beyond what had been dropped before: a few words. */
  readonly without: string;
  readonly held: boolean;
  /** Why it does not hold; null when it does. */
  readonly why: string | null;
}

export interface Minimised {
  /** What held, the whole first, the smallest last. */
  readonly held: readonly Selection[];
  readonly steps: readonly Step[];
  /** Candidates that the validator did not let be drilled. */
  readonly refused: number;
  /** Whether tries or time ended before there was nothing left to try. */
  readonly spent: boolean;
}

export interface MinimiseInput {
  /** Drills a candidate once. */
  readonly tryOut: (plan: DrillPlan) => Promise<Tried>;
  readonly onStep: (step: Step) => void;
}

/** Holds and settles are not cut below this. */
const SHORTEST_MS = 500;

/**
 * Drops faults, then stops with their releases, then what else the operator did, then traffic, and then shortens hold and
 * settle, each for as long as what is left holds. The whole has to hold, by the caller's word.
 */
export async function minimise(plan: DrillPlan, input: MinimiseInput): Promise<Minimised> {
  const search = new Search(plan, input);
  const indices = (isOf: (entry: TimelineEntry) => boolean): readonly number[] =>
    [...plan.scenario.timeline.entries()].flatMap(([index, entry]) => (isOf(entry) ? [index] : []));
  await search.entries(indices(({ kind }) => kind === 'fault'));
  await search.entries(indices(({ kind }) => kind === 'flip'));
  await search.entries(indices(({ kind }) => kind !== 'fault' && kind !== 'flip'));
  await search.traffic();
  await search.shorten('holdMs');
  await search.shorten('settleMs');
  return { held: search.held, steps: search.steps, refused: search.refused, spent: search.spent };
}

class Search {
  readonly #plan: DrillPlan;
  readonly #input: MinimiseInput;
  readonly held: Selection[];
  readonly steps: Step[] = [];
  refused = 0;
  spent = false;
  #smallest: Selection;

  constructor(plan: DrillPlan, input: MinimiseInput) {
    this.#plan = plan;
    this.#input = input;
    this.#smallest = wholeOf(plan);
    this.held = [this.#smallest];
  }

  /** Drops entries of the timeline; those of no other kind are in question. */
  async entries(inQuestion: readonly number[]): Promise<void> {
    const { timeline } = this.#plan.scenario;
    const others = this.#smallest.entries.filter((index) => !inQuestion.includes(index));
    const entries = inQuestion.filter((index) => this.#smallest.entries.includes(index));
    await ddmin(entries, (part) => {
      const kept = entriesThatStay(
        timeline,
        [...others, ...part].toSorted((one, other) => one - other),
      );
      const dropped = this.#smallest.entries.filter((index) => !kept.includes(index));
      const without = dropped.map((index) => wordsOf(timeline[index])).join(', ');
      return this.#ask({ ...this.#smallest, entries: kept }, without);
    });
  }

  async traffic(): Promise<void> {
    await ddmin(spread(this.#smallest.families), (part) => {
      const dropped = this.#smallest.families.length - part.length;
      const without = `${dropped} of ${this.#smallest.families.length} runs with their children`;
      return this.#ask({ ...this.#smallest, families: part }, without);
    });
  }

  async shorten(which: 'holdMs' | 'settleMs'): Promise<void> {
    for (;;) {
      const ms = this.#smallest[which];
      const shorter = Math.max(SHORTEST_MS, Math.round(ms / 2));
      if (shorter >= ms) return;
      const without = `${ms - shorter} ms of ${ms} ms ${which === 'holdMs' ? 'hold' : 'settle'}`;
      if ((await this.#ask({ ...this.#smallest, [which]: shorter }, without)) !== 'holds') return;
    }
  }

  async #ask(selection: Selection, without: string): Promise<Held> {
    if (this.spent) return 'spent';
    const tried = await this.#input.tryOut(reducedPlan(this.#plan, selection));
    if (tried.kind === 'spent') {
      this.spent = true;
      return 'spent';
    }
    if (tried.kind === 'refused') {
      this.refused += 1;
      return 'lost';
    }
    const step: Step = { without, held: tried.kind === 'holds', why: tried.kind === 'holds' ? null : tried.why };
    this.steps.push(step);
    this.#input.onStep(step);
    if (tried.kind === 'lost') return 'lost';
    this.#smallest = selection;
    this.held.push(selection);
    return 'holds';
  }
}

/** How a sentence names an entry. */
function wordsOf(entry: TimelineEntry | undefined): string {
  switch (entry?.kind) {
    case undefined:
      return 'nothing';
    case 'fault':
      return `the ${entry.fault} of ${entry.target}`;
    case 'flip':
      return `the stop of ${nameOf(entry)}`;
    case 'release':
      return `the release of ${nameOf(entry)}`;
    case 'alerts':
      return 'alerts';
    case 'compensate':
    case 'contract':
    case 'forge':
    case 'resume':
      return `the ${entry.kind}`;
  }
}

/** Two halves of neighbours are the beginning and the end of a drill; in this order each part is thinner traffic all along. */
function spread(families: readonly string[]): readonly string[] {
  const bits = Math.ceil(Math.log2(Math.max(2, families.length)));
  const reversed = (index: number): number => {
    let to = 0;
    for (let bit = 0; bit < bits; bit += 1) if ((index & (1 << bit)) !== 0) to |= 1 << (bits - 1 - bit);
    return to;
  };
  return families
    .map((family, index) => ({ family, at: reversed(index) }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ family }) => family);
}
