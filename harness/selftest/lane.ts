import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KilldrillError } from '../../src/errors.ts';
import { waitUntil } from '../environment/wait.ts';
import type { SubjectDrill } from './drill-subject.ts';
import type { SelftestRow } from './kill-matrix.ts';
import type { LaneAnswer } from './lane-message.ts';

/** Longer than any drill's own bounds together. */
const DRILL_MS = 300_000;
/** An environment is over within 5 s of being told so; its guardian does the rest. */
const END_MS = 10_000;

/**
 * A process that drills one subject after another in an environment of its own. It notices when this process dies, by the
 * channel between them, and ends what it has; Ctrl-C is not its business.
 */
export class Lane {
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal;
  readonly #answers: LaneAnswer[] = [];
  #exited = false;

  /** @param signal ends the lane, with all that it has started */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
    const extension = extname(fileURLToPath(import.meta.url));
    const main = fileURLToPath(new URL(`./lane-main${extension}`, import.meta.url));
    const execArgv = extension === '.ts' ? ['--import', 'tsx'] : [];
    this.#child = fork(main, {
      detached: true,
      execArgv,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (answer) => this.#answers.push(answer as LaneAnswer));
    this.#child.on('error', () => undefined); // it shows in the exit
    this.#child.on('exit', () => (this.#exited = true));
  }

  /**
   * @throws KilldrillError whatever the drill threw, `LANE_ENDED` when the process has ended, `LANE_LATE` when it does not
   * answer; the signal's reason
   */
  async drill(drill: SubjectDrill): Promise<SelftestRow> {
    if (this.#child.connected) this.#child.send(drill);
    const over = await waitUntil(() => this.#answers.length > 0 || this.#exited, {
      boundMs: DRILL_MS,
      everyMs: 20,
      signal: this.#signal,
    });
    const answer = this.#answers.shift();
    const what = `the process that drilled ${drill.subject.name}`;
    if (answer?.kind === 'row') return answer.row;
    if (answer?.kind === 'error') throw new KilldrillError(answer.code, `${what} failed: ${answer.message}`);
    if (over) throw new KilldrillError('LANE_ENDED', `${what} ended without an answer; run it again with --parallel 1`);
    throw new KilldrillError('LANE_LATE', `${what} gave no answer within ${DRILL_MS / 1_000} s, so it was ended`);
  }

  /** Asks it to end, and waits until it has undone what it did. */
  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    if (!(await waitUntil(() => this.#exited, { boundMs: END_MS }))) this.#child.kill('SIGKILL');
  }
}
