import { ageText } from '../age-text.ts';
import type { CanaryStatus, LastRound } from '../periodic-canary.ts';

/** When the fleet was last proven able to halt, as a page shows it. */
export interface Proven {
  /** Since every worker that is there last refused a canary, milliseconds; null when they have not, or nobody knows. */
  readonly agoMs: number | null;
  /** Pools that have not all the workers that were declared, a clause each. */
  readonly short: readonly string[];
  /** One sentence for a person. */
  readonly text: string;
  /** False when it never was, or when the last canary of this process did not prove it again. */
  readonly isGood: boolean;
}

/** Of many that were silent, the first: one is enough to go and look. */
const NAMED = 5;

/** `canary` is null where this process flies none. */
export function provenOf(agoMs: number | null, short: readonly string[], canary: CanaryStatus | null): Proven {
  const last = canary?.last ?? null;
  const failed = last === null || last.outcome === 'proven' ? null : `THE LAST CANARY DID NOT PROVE IT: ${whyOf(last)}`;
  return {
    ...{ agoMs, short },
    text: [
      agoMs === null
        ? `not proven able to halt: ${short.length > 0 ? short.join(', ') : `no canary was refused by all of them (${wayOf(canary)})`}`
        : `last proven able to halt ${ageText(agoMs)} ago`,
      ...(failed === null ? [] : [failed]),
    ].join('; '),
    isGood: agoMs !== null && failed === null,
  };
}

function wayOf(canary: CanaryStatus | null): string {
  if (canary === null) return 'killdrill status --prove, or serve --canary-every';
  return `this process flies one every ${ageText(canary.everyMs)}`;
}

function whyOf({ outcome, silent, why, agoMs }: LastRound): string {
  const names = silent.slice(0, NAMED).join(', ');
  const more = silent.length > NAMED ? ` and ${silent.length - NAMED} more` : '';
  const found = {
    proven: '',
    short: 'not all declared workers are there',
    silent: `not refused by ${names}${more}`,
    nobody: 'no worker was there to refuse it',
    covered: 'it was not flown',
    failed: 'it failed',
  }[outcome];
  return `${found}${why === null ? '' : ` (${why})`}, ${ageText(agoMs)} ago`;
}
