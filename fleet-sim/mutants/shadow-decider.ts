import type { ActiveStop, Decider, Subject } from '../../src/index.ts';

/** A decider with another answer to `stopFor`; reports the first subject on which the two differ in whether they stop it. */
export function withOtherStops(
  genuine: Decider,
  otherStopFor: (subject: Subject) => ActiveStop | null,
  differs: (difference: { input: unknown; unmodified: unknown; mutated: unknown }) => void,
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

/** A decision in words, for the report. */
export function verdictOf(stop: ActiveStop | null): string {
  return stop === null ? 'pass' : `halt by ${stop.engagement.scope}:${stop.engagement.target}`;
}
