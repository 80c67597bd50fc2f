import type { Checker, Finding } from './checker.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { nameOf } from './flips-of.ts';
import type { DrillFlip } from './flips-of.ts';
import { indexOf, sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { actionsOf } from './operator-of.ts';

/** The fleet is not let go again as it was when it was stopped. */
export const releaseNeedsGreen: Checker = {
  name: 'release_needs_green',
  claim: 'A release is refused while the run contract is that of the stop, and taken once another one is declared.',
  needs: 'record',
  check(record) {
    const index = indexOf(record);
    const declared = index.scenario.fleet.contract !== null || index.scenario.timeline.some(isContract);
    if (!declared) return notApplicable('no run contract is declared, so that no release is red');
    const releases = index.flips.filter(({ kind }) => kind === 'release').map((flip) => colourOf(index, flip));
    return brokenRelease(index, releases) ?? shown(index, releases);
  },
};

function isContract({ kind }: DrillIndex['scenario']['timeline'][number]): boolean {
  return kind === 'contract';
}

interface Coloured {
  readonly flip: DrillFlip;
  /** The stop whose contract still runs; null when the release is green. */
  readonly red: DrillFlip | null;
  readonly contract: string | null;
}

function colourOf(index: DrillIndex, flip: DrillFlip): Coloured {
  const contract = contractAt(index, flip.requestNs);
  const closes = index.flips.filter(({ kind, id }) => kind === 'stop' && flip.engagements.includes(id));
  const red = closes.find((stop) => contract !== null && contractAt(index, stop.requestNs) === contract) ?? null;
  return { flip, red, contract };
}

/** What was declared last before an instant, as canonical JSON; null for nothing. */
function contractAt(index: DrillIndex, ns: number): string | null {
  const { contract } = index.scenario.fleet;
  let last: unknown = contract;
  for (const { asked, answered } of actionsOf(index.record.events, 'contract')) {
    if (answered?.ok === true && answered.t1 <= ns) last = asked.contract;
  }
  return last === null ? null : canonical(last);
}

function canonical(contract: unknown): string {
  return JSON.stringify(contract, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
  });
}

function brokenRelease(index: DrillIndex, releases: readonly Coloured[]): Finding | null {
  for (const { flip, red, contract } of releases) {
    const scope = nameOf(flip.on);
    const evidence = {
      flip: flip.flip,
      revision: flip.revision,
      scope,
      atMs: sinceT0(index, flip.requestNs),
      contract,
    };
    if (red !== null && flip.answer === 'acknowledged')
      return fail(`the release of ${scope} was taken, though the fleet still runs the contract of its stop`, {
        ...evidence,
        stop: red.flip,
        engagement: red.id,
      });
    if (red === null && flip.answer === 'refused' && flip.engagements.length > 0)
      return fail(
        `the release of ${scope} was refused, though the contract of its stop runs no more: ${flip.error ?? ''}`,
        {
          ...evidence,
          error: flip.error,
        },
      );
  }
  return null;
}

function shown(index: DrillIndex, releases: readonly Coloured[]): Finding {
  const refused = releases.filter(({ red, flip }) => red !== null && flip.answer === 'refused');
  const taken = releases.filter(({ red, flip }) => red === null && flip.answer === 'acknowledged');
  const evidence = { redRefused: refused.length, greenTaken: taken.length };
  const isRedPlanned = index.scenario.timeline.some((entry) => entry.kind === 'release' && entry.expect === 'refused');
  if (refused.length === 0 && !isRedPlanned)
    return notApplicable('no release of the scenario is asked for while the contract is that of the stop');
  if (refused.length === 0)
    return inconclusive('a release asked for while the contract is that of the stop', 'none was answered', evidence);
  if (taken.length === 0) return inconclusive('a release taken after the contract changed', 'there was none', evidence);
  return pass(
    `${refused.length} red releases were refused, and ${taken.length} taken once another contract was declared`,
    evidence,
  );
}
