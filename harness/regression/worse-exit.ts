import { EXIT_CODES } from '../checkers/verdict-file.ts';

export type GateExit = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

const RANK: readonly GateExit[] = [EXIT_CODES.pass, EXIT_CODES.inconclusive, EXIT_CODES.error, EXIT_CODES.fail];

/** The worst of the exit codes: fail > error > inconclusive > pass, as within one drill; a pass of none. */
export function worstExit(codes: readonly GateExit[]): GateExit {
  return codes.reduce<GateExit>(
    (worst, code) => (RANK.indexOf(code) > RANK.indexOf(worst) ? code : worst),
    EXIT_CODES.pass,
  );
}
