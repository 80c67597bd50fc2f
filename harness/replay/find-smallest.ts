import type { Judgement } from '../checkers/verdict-file.ts';
import type { KeptVerdicts } from '../regression/regression-file.ts';
import type { DrillPlan } from '../traffic/plan-drill.ts';
import { lostIn, validated } from './candidate.ts';
import { minimise } from './minimise.ts';
import type { Minimised, Step, Tried } from './minimise.ts';
import { reducedPlan } from './reduce-plan.ts';
import type { Selection } from './reduce-plan.ts';

/** A drill of a candidate. */
export type Drilled =
  { readonly kind: 'judged'; readonly judgement: Judgement } | { readonly kind: 'broken'; readonly why: string };

export interface FindInput {
  readonly plan: DrillPlan;
  /** What the stored run showed: the smallest drill has to show it. */
  readonly stored: KeptVerdicts;
  /** Drills at most, those that verify apart. */
  readonly tries: number;
  /** Nothing is tried any more once so much time has passed, milliseconds; the drill that runs then is waited for. */
  readonly forMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: () => number;
  /** Runs a drill; `verify`: one more of a candidate that held. */
  readonly drill: (plan: DrillPlan, why: 'try' | 'verify') => Promise<Drilled>;
  /** Before the first drill, of everything. */
  readonly onWhole: () => void;
  /** After each drill of a candidate. */
  readonly onStep: (step: Step) => void;
  /**
   * The smallest so far, each time that it is another or held once more, everything first. A drill that refutes it gives it up
   * for what would be verified next; null when nothing is left.
   */
  readonly onSofar: (smallest: HeldDrill | null) => void;
  readonly onVerified: (drill: VerifyingDrill) => void;
}

/** A drill as its files have it. */
export interface SmallDrill {
  readonly plan: DrillPlan;
  readonly yaml: string;
}

/** A drill that held each time it was run. */
export interface HeldDrill extends SmallDrill {
  /** How often, 1 or more. */
  readonly drilled: number;
}

/** One more drill of something that held. */
export interface VerifyingDrill {
  readonly held: boolean;
  /** Why it does not hold; null when it does. */
  readonly why: string | null;
}

export type Found =
  | ({
      readonly kind: 'found';
      readonly smallest: SmallDrill;
      readonly judgement: Judgement;
      /** How many smaller ones held once, were drilled again, and did not hold. */
      readonly wentBack: number;
      /** How many smaller ones held once, and were not drilled again: the answer is everything, as too many went before. */
      readonly notAgain: number;
    } & Omit<Minimised, 'held'>)
  /** Everything together does not show here what the stored run showed, or not each time. */
  | { readonly kind: 'not_shown'; readonly why: string; readonly steps: readonly Step[] };

/** Drills more that the smallest one has to hold in. */
export const VERIFY_DRILLS = 2;
/** So many are verified, the smallest first, before everything together is. */
const VERIFY_BACK = 3;

/**
 * Finds the smallest drill that shows what a stored run showed, by drilling. Each candidate is drilled once; the smallest twice
 * more, and when that does not hold, the one that held before it: three of them at most, then everything.
 *
 * @throws what `drill` throws
 */
export async function findSmallest(input: FindInput): Promise<Found> {
  const trials = new Trials(input);
  input.onWhole();
  const whole = await trials.tryOut(input.plan);
  if (whole.kind !== 'holds') {
    const why = whole.kind === 'spent' ? 'there was no time for it' : whole.why;
    return { kind: 'not_shown', why, steps: [] };
  }
  const { held, ...minimised } = await minimise(input.plan, {
    tryOut: (plan) => trials.tryOut(plan),
    onStep: input.onStep,
  });
  const [everything, ...smaller] = held;
  const inTurn = [...smaller.toReversed().slice(0, VERIFY_BACK), ...(everything === undefined ? [] : [everything])];
  for (const [wentBack, selection] of inTurn.entries()) {
    const verified = await trials.verify(selection);
    const notAgain = selection === everything ? smaller.length - wentBack : 0;
    if (verified !== null) return { kind: 'found', ...verified, wentBack, notAgain, ...minimised };
    trials.giveUpFor(inTurn[wentBack + 1]);
  }
  const why = `it was shown once, and not in each of ${VERIFY_DRILLS} drills more: what is flaky has no smallest drill`;
  return { kind: 'not_shown', why, steps: minimised.steps };
}

class Trials {
  readonly #input: FindInput;
  readonly #startMs: number;
  #tries = 0;

  constructor(input: FindInput) {
    this.#input = input;
    this.#startMs = input.nowMs();
  }

  async tryOut(plan: DrillPlan): Promise<Tried> {
    const { tries, forMs, nowMs, stored, drill, onSofar } = this.#input;
    if (this.#tries >= tries || nowMs() - this.#startMs >= forMs) return { kind: 'spent' };
    const candidate = validated(plan);
    if (candidate.kind === 'refused') return candidate;
    this.#tries += 1;
    const lost = lostBy(await drill(candidate.plan, 'try'), stored);
    if (lost !== null) return { kind: 'lost', why: lost };
    onSofar({ plan: candidate.plan, yaml: candidate.yaml, drilled: 1 });
    return { kind: 'holds' };
  }

  /** Null when one of the drills does not hold. */
  async verify(selection: Selection): Promise<{ readonly smallest: SmallDrill; readonly judgement: Judgement } | null> {
    const { plan, stored, drill, onVerified, onSofar } = this.#input;
    const smallest = validated(reducedPlan(plan, selection));
    if (smallest.kind === 'refused') return null;
    let judgement: Judgement | null = null;
    for (let nth = 0; nth < VERIFY_DRILLS; nth += 1) {
      const drilled = await drill(smallest.plan, 'verify');
      const why = lostBy(drilled, stored);
      onVerified({ held: why === null, why });
      if (why !== null || drilled.kind !== 'judged') return null;
      onSofar({ plan: smallest.plan, yaml: smallest.yaml, drilled: nth + 2 });
      judgement = drilled.judgement;
    }
    return judgement === null ? null : { smallest, judgement };
  }

  /** The smallest so far did not hold: now it is this one, which was drilled once. */
  giveUpFor(selection: Selection | undefined): void {
    const { plan, onSofar } = this.#input;
    const next = selection === undefined ? null : validated(reducedPlan(plan, selection));
    onSofar(next?.kind === 'refused' || next === null ? null : { plan: next.plan, yaml: next.yaml, drilled: 1 });
  }
}

function lostBy(drilled: Drilled, stored: KeptVerdicts): string | null {
  return drilled.kind === 'broken' ? `the drill broke off: ${drilled.why}` : lostIn(drilled.judgement, stored);
}
