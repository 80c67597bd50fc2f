import { createInterface } from 'node:readline/promises';
import { systemClock } from '../../src/clock.ts';
import { KilldrillError } from '../../src/errors.ts';
import { printable, wrap } from '../report/wrap.ts';
import { interruptible } from './interrupt.ts';

const WIDTH = 80;
const ANSWER_MS = 60_000;

/** Where a question is asked. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** How long a person has to answer, milliseconds. */
  readonly answerMs?: number;
}

/**
 * Has a person type a word before something is done. Only on a terminal: a script is never asked.
 *
 * @throws KilldrillError `NOT_CONFIRMED` when anything else is typed, or nothing in time; the signal's reason when it fires
 */
export async function confirm(
  question: string,
  word: string,
  signal: AbortSignal,
  { input, output, answerMs = ANSWER_MS }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<void> {
  if (!input.isTTY || !output.isTTY) return;
  const late = new AbortController();
  const cancel = systemClock.after(answerMs, () => late.abort());
  const lines = createInterface({ input, output });
  // The terminal is in a mode of its own, in which Ctrl-C is a key and no signal.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  lines.on('close', () => late.abort());
  try {
    const asked = lines.question(`${wrap(question, WIDTH).join('\n')}\nType '${printable(word)}' to go on: `, {
      signal: AbortSignal.any([signal, late.signal]),
    });
    const typed = await asked.catch(() => null);
    if (signal.aborted) throw signal.reason;
    if (typed?.trim() === word) return;
    const found = typed === null ? 'nothing was typed' : `'${printable(typed)}' was typed`;
    throw new KilldrillError('NOT_CONFIRMED', `nothing was done: ${found}, expected '${printable(word)}'`);
  } finally {
    cancel();
    lines.close();
  }
}

/** The same for a command that has nothing else to end on Ctrl-C. */
export async function confirmed(question: string, word: string): Promise<void> {
  const interrupt = interruptible();
  try {
    await confirm(question, word, interrupt.signal);
  } finally {
    interrupt.dispose();
  }
}
