import { randomUUID } from 'node:crypto';
import { systemClock } from '../../src/clock.ts';
import { canaryRound } from '../../src/control/canary-round.ts';
import type { CanaryRound } from '../../src/control/canary-round.ts';
import { KilldrillError } from '../../src/errors.ts';
import { printable, wrap } from '../report/wrap.ts';
import type { OperatorConnection } from './operator-connection.ts';
import { note } from './output.ts';

/** What an operator's connection may take for its part of a round, milliseconds: it is more patient than a server. */
const STORE_MS = 45_000;
/** How long somebody else's turn is waited for at most. */
const TURN_MS = 60_000;
const LOOK_MS = 500;
const WIDTH = 80;

/** Flies one canary, after whoever flies one now, and tells what it has shown. */
export async function prove(
  { namespace, flips, effectiveness, canaries }: OperatorConnection,
  by: string,
  sign: ((text: string) => string) | null,
): Promise<{ readonly isProven: boolean }> {
  const clock = systemClock;
  const parts = {
    namespace,
    flips,
    fleet: effectiveness,
    turns: canaries,
    clock,
    newId: randomUUID,
    storeMs: STORE_MS,
  };
  const untilMs = clock.monotonicMs() + TURN_MS;
  let round = await canaryRound({ ...parts, by, sign }, 0);
  while (round.kind === 'taken' || round.kind === 'early') {
    if (clock.monotonicMs() >= untilMs) throw waitedInVain(round);
    await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
    round = await canaryRound({ ...parts, by, sign }, 0);
  }
  for (const line of sentences(round)) note(wrap(printable(line), WIDTH).join('\n'));
  return { isProven: isProof(round) };
}

function isProof(round: CanaryRound): boolean {
  return round.kind === 'flown' && round.result.silent.length === 0 && round.result.refused.length > 0;
}

function sentences(round: Extract<CanaryRound, { readonly kind: 'flown' | 'covered' }>): readonly string[] {
  if (round.kind === 'covered') {
    return [
      `no canary was flown: its switch is stopped already, by ${round.by.join(', ')}; try again after the release`,
    ];
  }
  const { revision, refused, silent, gone, releaseError } = round.result;
  const these = silent.length === 0 ? '' : `; these have not: ${silent.join(', ')}`;
  return [
    `canary at revision ${revision}: ${refused.length} workers refused it${these}`,
    ...(gone.length === 0 ? [] : [`on the list, and not heard of for several leases: ${gone.join(', ')}`]),
    ...(releaseError === null
      ? []
      : [`its release was not taken (${releaseError}); the next canary releases it, and it stops nobody`]),
  ];
}

function waitedInVain(round: CanaryRound): KilldrillError {
  const who = round.kind === 'taken' ? `'${round.by}' flies one` : 'the store says that it is too early';
  return new KilldrillError('CANARY_TAKEN', `no canary was flown within ${TURN_MS / 1_000} s: ${who}; try again`);
}
