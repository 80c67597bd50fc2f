import type { ContractEvent } from '../../src/index.ts';
import { KilldrillError } from '../../src/index.ts';
import type { Bent, Mutant, MutantContext } from './mutant.ts';
import { MUTANTS } from './registry.ts';

/**
 * The parts that a mutant puts in place of the worker's own; nothing for no mutant.
 *
 * @throws KilldrillError `MUTANT_UNKNOWN`
 */
export function bendBy(
  name: string | null,
  context: Omit<MutantContext, 'differs'>,
  say: (event: ContractEvent) => void,
): Bent {
  if (name === null) return {};
  const mutant = findMutant(name);
  let said = false;
  return mutant.bend({
    ...context,
    differs: (difference) => {
      if (said) return;
      said = true;
      say({ event: 'mutant', name, ...difference });
    },
  });
}

function findMutant(name: string): Mutant {
  const mutant = MUTANTS.find((one) => one.name === name);
  if (mutant !== undefined) return mutant;
  const known = MUTANTS.map((one) => one.name).join(', ');
  throw new KilldrillError('MUTANT_UNKNOWN', `there is no mutant '${name}'; known are ${known}`);
}
