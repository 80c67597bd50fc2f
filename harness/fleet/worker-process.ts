import type { ChannelId } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';
import type { SaidLine } from './contract-lines.ts';
import { DrilledProcess } from './drilled-process.ts';
import type { ProcessSpec } from './drilled-process.ts';

export interface WorkerSpec extends Pick<ProcessSpec, 'command' | 'environment' | 'cwd'> {
  readonly worker: string;
  readonly channel: ChannelId;
  readonly history: HistorySink;
  /** Is given each line that it says, besides the history; null for nobody. */
  readonly heard: ((line: SaidLine) => void) | null;
}

/** One incarnation of a worker. */
export class WorkerProcess extends DrilledProcess {
  readonly channel: ChannelId;
  #clockOffsetMs = 0;
  #stateFile: { readonly refusal: string | null } | null = null;

  constructor({ worker, channel, history, heard, ...spec }: WorkerSpec) {
    const who = { worker, channel };
    super({
      ...spec,
      name: worker,
      record: {
        spawned: (pid) => history.append({ type: 'worker.spawned', ...who, pid }),
        ready: (line) => {
          const incarnation = typeof line['incarnation'] === 'string' ? line['incarnation'] : null;
          history.append({ type: 'worker.ready', ...who, incarnation });
        },
        said: (line) => {
          if (line.event === 'clock' && typeof line['offsetMs'] === 'number') this.#clockOffsetMs = line['offsetMs'];
          if (line.event === 'state-file') this.#stateFile = { refusal: refusalIn(line) };
          history.append({ type: 'worker.said', ...who, said: line });
          heard?.(line);
        },
        lastWords: (text) => history.append({ type: 'worker.lastWords', ...who, text }),
        exited: ({ code, signal }, expected) =>
          history.append({ type: 'worker.exited', ...who, code, signal, expected }),
      },
    });
    this.channel = channel;
  }

  /** Whether it has said anything of a state file. */
  get hasStateFile(): boolean {
    return this.#stateFile !== null;
  }

  /** Why it cannot trust its state file, by its own word; null when it can. */
  get stateFileRefusal(): string | null {
    return this.#stateFile?.refusal ?? null;
  }

  get worker(): string {
    return this.name;
  }

  /** How far its wall clock is off, by its own word; 0 until it says otherwise. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }
}

function refusalIn({ refusal }: SaidLine): string | null {
  return typeof refusal === 'string' ? refusal : null;
}
