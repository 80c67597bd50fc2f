import type { HistorySink } from '../history/write.ts';
import { DrilledProcess } from './drilled-process.ts';
import type { ProcessSpec } from './drilled-process.ts';

export interface ApiSpec extends Pick<ProcessSpec, 'command' | 'environment' | 'cwd'> {
  readonly history: HistorySink;
}

/** How `killdrill serve --json` says that it takes requests. */
const SERVING = /^\{"url":"/;

/** One life of the control API under drill: the built command's own `serve`. */
export class ApiProcess extends DrilledProcess {
  constructor({ history, ...spec }: ApiSpec) {
    super({
      ...spec,
      name: 'api',
      saysReady: (text) => SERVING.test(text),
      record: {
        spawned: (pid) => history.append({ type: 'api.spawned', pid }),
        ready: () => history.append({ type: 'api.ready' }),
        said: (line) => history.append({ type: 'api.said', said: line }),
        exited: ({ code, signal }, expected) => history.append({ type: 'api.exited', code, signal, expected }),
      },
    });
  }
}
