import { randomUUID } from 'node:crypto';
import { systemClock } from '../../src/clock.ts';
import { isProof } from '../../src/control/canary.ts';
import { canaryRound } from '../../src/control/canary-round.ts';
import type { CanaryRound } from '../../src/control/canary-round.ts';
import { KilldrillError } from '../../src/errors.ts';
import { printable, wrap } from '../report/wrap.ts';
import type { OperatorConnection } from './operator-connection.ts';
import { note } from './output.ts';
import { goneSentences } from './status-text.ts';

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
  return { isProven: round.kind === 'flown' && isProof(round.result) };
}

function sentences(round: Extract<CanaryRound, { readonly kind: 'flown' | 'covered' }>): readonly string[] {
  if (round.kind === 'covered') {
    return [
      `no canary was flown: its switch is stopped already, by ${round.by.join(', ')}; try again after the release`,
    ];
  }
  const { revision, refused, silent, gone, short, releaseError } = round.result;
  const these = silent.length === 0 ? '' : `; these have not: ${silent.join(', ')}`;
  return [
    `canary at revision ${revision}: ${refused.length} workers refused it${these}`,
    ...goneSentences(gone),
    ...(short.length === 0 ? [] : [`not proven, since the declared inventory is not met: ${short.join(', ')}`]),
    ...(releaseError === null
      ? []
      : [`its release was not taken (${releaseError}); the next canary releases it, and it stops nobody`]),
  ];
}

function waitedInVain(round: CanaryRound): KilldrillError {
  const who = round.kind === 'taken' ? `'${round.by}' flies one` : 'the store says that it is too early';
  return new KilldrillError('CANARY_TAKEN', `no canary was flown within ${TURN_MS / 1_000} s: ${who}; try again`);
}
