import type { ContractEvent, ExecutorParts } from '../../src/index.ts';
import { KilldrillError } from '../../src/index.ts';
import type { Bent, Differs, ExecutorContext, Mutant, MutantContext } from './mutant.ts';
import { MUTANTS } from './registry.ts';

type Say = (event: ContractEvent) => void;

/**
 * The parts that a mutant puts in place of the worker's own; nothing for no mutant.
 *
 * @throws KilldrillError `MUTANT_UNKNOWN`
 */
export function bendBy(name: string | null, context: Omit<MutantContext, 'differs'>, say: Say): Bent {
  if (name === null) return {};
  return findMutant(name).bend({ ...context, differs: saidOnce(name, say) });
}

/**
 * What a mutant makes of an executor's parts; the same parts for no mutant, and for one of workers only.
 *
 * @throws KilldrillError `MUTANT_UNKNOWN`
 */
export function bendExecutorBy(
  name: string | null,
  context: Omit<ExecutorContext, 'differs'>,
  say: Say,
): (genuine: ExecutorParts) => ExecutorParts {
  const asTheyAre = (genuine: ExecutorParts): ExecutorParts => genuine;
  if (name === null) return asTheyAre;
  return findMutant(name).bendExecutor?.({ ...context, differs: saidOnce(name, say) }) ?? asTheyAre;
}

function saidOnce(name: string, say: Say): Differs {
  let said = false;
  return (difference) => {
    if (said) return;
    said = true;
    say({ event: 'mutant', name, ...difference });
  };
}

function findMutant(name: string): Mutant {
  const mutant = MUTANTS.find((one) => one.name === name);
  if (mutant !== undefined) return mutant;
  const known = MUTANTS.map((one) => one.name).join(', ');
  throw new KilldrillError('MUTANT_UNKNOWN', `there is no mutant '${name}'; known are ${known}`);
}
