import type { HistorySink } from '../history/write.ts';
import { DrilledProcess } from './drilled-process.ts';
import type { ProcessSpec } from './drilled-process.ts';

export interface ExecutorSpec extends Pick<ProcessSpec, 'command' | 'environment' | 'cwd'> {
  readonly executor: string;
  readonly history: HistorySink;
}

/** One life of an executor. */
export class ExecutorProcess extends DrilledProcess {
  constructor({ executor, history, ...spec }: ExecutorSpec) {
    super({
      ...spec,
      name: executor,
      record: {
        spawned: (pid) => history.append({ type: 'executor.spawned', executor, pid }),
        ready: () => history.append({ type: 'executor.ready', executor }),
        said: (line) => history.append({ type: 'executor.said', executor, said: line }),
        exited: ({ code, signal }, expected) =>
          history.append({ type: 'executor.exited', executor, code, signal, expected }),
      },
    });
  }
}
