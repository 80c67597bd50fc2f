import { parseArgs } from 'node:util';
import { systemClock } from '../src/index.ts';
import { askedToEnd } from './asked-to-end.ts';
import { readExecutorEnvironment } from './executor-environment.ts';
import { openExecutor } from './executor.ts';
import { bendExecutorBy } from './mutants/bend.ts';
import { log, say } from './say.ts';

/**
 * One executor of the simulated fleet: an ordinary user of the runtime, which reads alerts and trips switches.
 *
 * `--mutant NAME` plants one bug, where it is one of executors; the list of all is with `main.ts --list-mutants`. A store or
 * a broker that is away is waited for, for as long as nobody ends this process: it is not `ready` until then.
 */

/** What an orderly end may take; a drill forces it after 5 s. */
const CLOSE_MS = 4_000;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { mutant: { type: 'string' } } });
  const told = readExecutorEnvironment(process.env);
  const { executor: name, namespace, stopsUrl } = told;
  const bend = bendExecutorBy(values.mutant ?? null, { executor: name, namespace, stopsUrl }, say);
  const executor = openExecutor(told, bend);
  const over = new AbortController();
  const ended = askedToEnd().then(() => over.abort());
  if (await executor.ready(over.signal)) say({ event: 'ready' });
  await ended;
  if (!(await closedWithin(CLOSE_MS, executor.close()))) {
    log(`the executor was not closed within ${CLOSE_MS} ms; what it held is read again by the next one`);
  }
  say({ event: 'bye' });
}

function closedWithin(ms: number, closed: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = systemClock.after(ms, () => resolve(false));
    void closed
      .catch((error: unknown) => log(String(error)))
      .then(() => {
        cancel();
        resolve(true);
      });
  });
}

try {
  await main();
} catch (error) {
  log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
}
process.exit();
