import type { ActiveStop, Decider, Registry, Subject } from '../../src/index.ts';
import type { MutantContext } from './mutant.ts';

/** A decider with another answer to `stopFor`; reports the first subject on which the two differ in whether they stop it. */
export function withOtherStops(
  genuine: Decider,
  otherStopFor: (subject: Subject) => ActiveStop | null,
  differs: MutantContext['differs'],
): Decider {
  return {
    get version() {
      return genuine.version;
    },
    verified: () => genuine.verified(),
    stopFor(subject) {
      const unmodified = genuine.stopFor(subject);
      const mutated = otherStopFor(subject);
      if ((unmodified === null) !== (mutated === null)) {
        differs({ input: subject, unmodified: verdictOf(unmodified), mutated: verdictOf(mutated) });
      }
      return mutated;
    },
  };
}

/** A mutant's decider as it is; reports the first subject that it lets pass though a registry that is told more stops it. */
export function comparedWith(
  mutated: Decider,
  toldMore: () => Registry | null,
  differs: MutantContext['differs'],
): Decider {
  return {
    get version() {
      return mutated.version;
    },
    verified: () => mutated.verified(),
    stopFor(subject) {
      const stop = mutated.stopFor(subject);
      const unmodified = stop === null ? toldMore()?.decide(subject) : undefined;
      if (unmodified?.kind === 'halt') {
        const { engagement } = unmodified;
        differs({
          input: subject,
          unmodified: verdictOf({ engagement, revision: null }),
          mutated: verdictOf(stop),
        });
      }
      return stop;
    },
  };
}

/** A decision in words, for the report. */
function verdictOf(stop: ActiveStop | null): string {
  return stop === null ? 'pass' : `halt by ${stop.engagement.scope}:${stop.engagement.target}`;
}
