import { createPublicKey } from 'node:crypto';
import { ed25519Seal, KilldrillError } from '../src/index.ts';
import type { ContractEnvironment, JudgeState, StateFileOptions } from '../src/index.ts';

/**
 * The state file that this worker is told to watch; null for none. What the file amounts to is said whenever that changes:
 * by the genuine judgement, so that a mutant which bends it cannot hide what it saw.
 *
 * @throws KilldrillError `CONTRACT_ENVIRONMENT` for a file without a key
 */
export function stateFileOf(
  { stateFile, stateKey }: ContractEnvironment,
  say: (refusal: string | null) => void,
): StateFileOptions | null {
  if (stateFile === null) return null;
  if (stateKey === null) {
    const message =
      'KILLDRILL_STATE_FILE is set and KILLDRILL_STATE_KEY is not: the simulated fleet checks the file by its seal';
    throw new KilldrillError('CONTRACT_ENVIRONMENT', message);
  }
  let said: string | null | undefined;
  const judge =
    (genuine: JudgeState): JudgeState =>
    (...look) => {
      const judgement = genuine(...look);
      const refusal = judgement.refusal?.code ?? null;
      if (refusal !== said) say(refusal);
      said = refusal;
      return judgement;
    };
  return { path: stateFile, seal: ed25519Seal([createPublicKey(stateKey)]), judge };
}
