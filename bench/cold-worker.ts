import type * as Killdrill from '../src/index.ts';

/** A worker that starts while stops are open: `cold-worker BUILT URL NAMESPACE NAME STOPPED_RUN`. Says when it enforces them. */

export interface ColdStart {
  /** `process.hrtime.bigint()` at this program's first line, decimal; what comes before is Node's own start. */
  readonly begunAt: string;
  /** When the built killdrill had been imported. */
  readonly importedAt: string;
  readonly connectedAt: string;
  /** When the registry was loaded and verified. */
  readonly enforcedAt: string;
  readonly open: number;
  /** Checks of the stopped run until then, and those that let it go on: none, if it fails closed. */
  readonly asked: number;
  readonly passed: number;
  /** What V8 and its buffers hold afterwards. */
  readonly heapBytes: number;
}

const LOOK_MS = 1;
const BOUND_MS = 60_000;

const now = (): string => String(process.hrtime.bigint());
const begunAt = now();
const [, , built = '', url = '', namespace = '', name = '', stopped = ''] = process.argv;
const { Runtime, connectWorkerStore } = (await import(built)) as typeof Killdrill;
const importedAt = now();
const store = await connectWorkerStore({ namespace, registryUrl: url, databaseUrl: url });
const connectedAt = now();
const onError = ({ message }: Error): void => void process.stderr.write(`${message}\n`);
const runtime = new Runtime(store, { namespace, incarnation: name, onError });
let asked = 0;
let passed = 0;
const timer = setInterval(look, LOOK_MS);
setTimeout(() => process.exit(1), BOUND_MS);
look();

function look(): void {
  asked += 1;
  if (passes(stopped)) passed += 1;
  if (!passes('free')) return;
  const enforcedAt = now();
  clearInterval(timer);
  const { heapUsed, external } = process.memoryUsage();
  const times = { begunAt, importedAt, connectedAt, enforcedAt };
  const open = runtime.registry.openCount;
  process.send?.({ ...times, open, asked, passed, heapBytes: heapUsed + external } satisfies ColdStart, () =>
    process.exit(),
  );
}

function passes(run: string): boolean {
  const identity = { run, agent: run, tenant: 'acme', feature: null };
  return runtime.gate.enter(identity, () => runtime.gate.bind('write/mail').refusal() === null);
}
