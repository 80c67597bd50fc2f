/** A file as it might be written one day, and the rule that has to catch it. */
export interface Planted {
  readonly what: string;
  readonly path: string;
  readonly text: string;
  /** As oxlint calls it; null where the file is in order (what a fence must let through). */
  readonly rule: string | null;
}

const ARROW = 'eslint(no-restricted-imports)';
const TIME_GLOBAL = 'eslint(no-restricted-globals)';
const TIME_PROPERTY = 'eslint(no-restricted-properties)';

function importing(path: string, from: string, rule: string | null): Planted {
  const verb = rule === null ? 'lets' : 'keeps';
  return {
    what: `${verb} ${path} ${rule === null ? 'import' : 'from importing'} ${from}`,
    path,
    text: `import { one } from '${from}';\nexport const two = one;\n`,
    rule,
  };
}

function holding(what: string, path: string, text: string, rule: string | null): Planted {
  return { what, path, text: `${text}\n`, rule };
}

/** The arrows of DESIGN §2: who may import whom. */
export const ARROWS: readonly Planted[] = [
  importing('src/a-harness.ts', '../harness/one.ts', ARROW),
  importing('src/store/memory-harness.ts', '../../harness/one.ts', ARROW),
  importing('src/store/postgres/a-harness.ts', '../../../harness/one.ts', ARROW),
  importing('src/a-fleet.ts', '../fleet-sim/one.ts', ARROW),
  importing('src/a-test.ts', '../test/one.ts', ARROW),
  importing('src/itself.ts', 'killdrill', ARROW),
  holding(
    'keeps src/ from importing a type of harness/',
    'src/a-type.ts',
    "import type { One } from '../harness/one.ts';\nexport type Two = One;",
    ARROW,
  ),
  holding(
    'keeps src/ from passing on harness/',
    'src/a-passing-on.ts',
    "export { one } from '../harness/one.ts';",
    ARROW,
  ),
  holding(
    'keeps src/ from importing harness/ later on',
    'src/a-late-import.ts',
    "export const later = () => import('../harness/one.ts');",
    ARROW,
  ),
  importing('src/a-driver.ts', './store/postgres/one.ts', ARROW),
  importing('src/a-memory.ts', './store/memory/one.ts', ARROW),
  importing('src/a-client.ts', 'pg', ARROW),
  importing('src/journal/a-driver.ts', '../store/postgres/one.ts', ARROW),
  importing('src/tasks/a-driver.ts', '../store/memory.ts', ARROW),
  importing('src/propagation/a-memory.ts', '../store/memory-one.ts', ARROW),
  importing('src/tasks/a-port.ts', '../store/one.ts', null),
  importing('src/index.ts', './store/postgres/one.ts', null),
  holding(
    'lets a driver import its client',
    'src/store/postgres/a-client.ts',
    "import { Client } from 'pg';\nexport const client = new Client();",
    null,
  ),
  ...['src/alerts/a-bus.ts', 'src/store/postgres/a-bus.ts', 'harness/a-bus.ts', 'fleet-sim/a-bus.ts'].map((path) =>
    importing(path, 'kafkajs', ARROW),
  ),
  holding(
    "lets Kafka's adapter import its client",
    'src/alerts/kafka-one.ts',
    "import { Kafka } from 'kafkajs';\nexport const kafka = new Kafka({ brokers: [] });",
    null,
  ),
  importing('src/alerts/kafka-store.ts', '../store/postgres/one.ts', ARROW),
  importing('harness/a-fleet.ts', '../fleet-sim/one.ts', ARROW),
  importing('harness/cli/a-fleet.ts', '../../fleet-sim/one.ts', ARROW),
  importing('harness/a-test.ts', '../test/one.ts', ARROW),
  importing('harness/cli/a-runtime.ts', '../../src/one.ts', null),
  importing('fleet-sim/a-harness.ts', '../harness/one.ts', ARROW),
  importing('fleet-sim/mutants/a-harness.ts', '../../harness/one.ts', ARROW),
  importing('fleet-sim/mutants/a-runtime.ts', '../../src/one.ts', null),
  holding(
    'finds a cycle, on the one side',
    'src/cycle-a.ts',
    "import { b } from './cycle-b.ts';\nexport const a: number = b;",
    'import(no-cycle)',
  ),
  holding(
    'finds a cycle, on the other',
    'src/cycle-b.ts',
    "import { a } from './cycle-a.ts';\nexport const b: number = a;",
    'import(no-cycle)',
  ),
];

/** The house rules of which the linter can tell. */
export const HABITS: readonly Planted[] = [
  holding('keeps Date.now out of src/', 'src/date-now.ts', 'export const at = Date.now();', TIME_PROPERTY),
  holding(
    'keeps a Date.now that was taken out of Date',
    'src/taken.ts',
    'const { now } = Date;\nexport const at = now();',
    TIME_PROPERTY,
  ),
  holding('keeps performance.now out of src/', 'src/perf.ts', 'export const at = performance.now();', TIME_GLOBAL),
  holding(
    'keeps process.hrtime out of src/',
    'src/hrtime.ts',
    'export const at = process.hrtime.bigint();',
    TIME_PROPERTY,
  ),
  holding('keeps setTimeout out of src/', 'src/timer.ts', 'setTimeout(() => undefined, 5);', TIME_GLOBAL),
  holding(
    'keeps globalThis.setInterval out of src/',
    'src/global.ts',
    'globalThis.setInterval(() => undefined, 5);',
    TIME_GLOBAL,
  ),
  holding(
    'keeps timer modules out of src/',
    'src/wait.ts',
    "import { setTimeout } from 'node:timers/promises';\nawait setTimeout(5);",
    ARROW,
  ),
  holding(
    'keeps AbortSignal.timeout out of src/',
    'src/abort.ts',
    'export const signal = AbortSignal.timeout(5);',
    TIME_PROPERTY,
  ),
  holding(
    'lets src/clock.ts read the clock',
    'src/clock.ts',
    'export const at = () => Date.now() + performance.now();',
    null,
  ),
  holding('keeps Math.random out of src/', 'src/chance.ts', 'export const chance = Math.random();', TIME_PROPERTY),
  holding(
    'keeps Math.random out of the rest',
    'harness/chance.ts',
    'export const chance = Math.random();',
    TIME_PROPERTY,
  ),
  holding(
    'finds any',
    'harness/anything.ts',
    'export const x = (value: any): void => void value;',
    'typescript(no-explicit-any)',
  ),
  holding(
    'finds a default export',
    'harness/standard.ts',
    'const x = 1;\nexport default x;',
    'import(no-default-export)',
  ),
  holding(
    'finds a non-null assertion',
    'harness/sure.ts',
    "export const x = new Map([['a', 1]]).get('a')!;",
    'typescript(no-non-null-assertion)',
  ),
  holding(
    'lets one through whose reason stands beside it',
    'harness/reasoned.ts',
    "// oxlint-disable-next-line typescript/no-non-null-assertion -- it was put there in this line\nexport const x = new Map([['a', 1]]).get('a')!;",
    null,
  ),
  holding(
    'finds a promise that nobody waits for',
    'harness/floating.ts',
    'Promise.resolve(1);',
    'typescript(no-floating-promises)',
  ),
  holding(
    'finds an async callback that nobody waits for',
    'harness/misused.ts',
    '[1].forEach(async () => {\n  await Promise.resolve(1);\n});',
    'typescript(no-misused-promises)',
  ),
  holding(
    'finds an await of nothing',
    'harness/nothing.ts',
    'const one = 1;\nexport const two = await one;',
    'typescript(await-thenable)',
  ),
  holding(
    'finds a case that is missing',
    'harness/missing.ts',
    "export function f(x: 'a' | 'b'): void {\n  switch (x) {\n    case 'a':\n      break;\n  }\n}",
    'typescript(switch-exhaustiveness-check)',
  ),
  holding(
    'finds a file of more than 300 lines',
    'harness/long.ts',
    `${'export {};\n'.repeat(300)}export {};`,
    'eslint(max-lines)',
  ),
  holding(
    'finds a function of more than 60 lines',
    'harness/tall.ts',
    `export function f(): void {\n${'  void 0;\n'.repeat(60)}}`,
    'eslint(max-lines-per-function)',
  ),
];
