import { MUTANTS } from '../fleet-sim/mutants/registry.ts';
import { controlApi } from './control-api.ts';
import { CHECKERS } from '../harness/checkers/registry.ts';
import { EXIT_MEANINGS } from '../harness/cli/exit.ts';
import { markdownCode as code, markdownTable as table } from '../harness/report/markdown.ts';
import { evidence } from './evidence.ts';
import { findScenario, shippedNames } from '../harness/cli/find-scenario.ts';
import { faultMeaning, keysOf, PLANES_OF } from '../harness/scenario/fault-meaning.ts';
import { scenarioJsonSchema, scenarioJsonSchemaText } from '../harness/scenario/json-schema.ts';
import { FAULT_KINDS } from '../harness/scenario/timeline-schema.ts';
import type { Scenario } from '../harness/scenario/scenario.ts';
import { CONTRACT_VARIABLES } from '../src/fleet-contract.ts';
import { page } from './markdown.ts';
import { runbook } from './runbook.ts';
import { queuePolicyOf } from '../src/switch.ts';

import { scenarioKeys } from './scenario-keys.ts';

/** Every generated file: its path from the project's root, and how its text is made. */
export const PAGES: Readonly<Record<string, () => string>> = {
  'docs/reference/properties.md': properties,
  'docs/reference/mutants.md': mutants,
  'docs/reference/faults.md': faults,
  'docs/reference/exit-codes.md': exitCodes,
  'docs/reference/scenario.md': scenario,
  'docs/reference/scenarios.md': scenarios,
  'docs/reference/fleet-contract.md': fleetContract,
  'docs/reference/control-api.md': controlApi,
  'docs/reference/runbook.md': runbook,
  'docs/reference/evidence.md': evidence,
  'scenarios/scenario.schema.json': scenarioJsonSchemaText,
};

function properties(): string {
  return page(
    'Properties',
    'What a drill decides. Each is one claim, judged from the history and the witness alone; its verdict is `pass`, `fail`, `inconclusive` (it names what is missing), `not_applicable` or `error`. Of [a fleet with a switch of its own](../guides/drill-your-own-fleet.md) those are judged that the witness alone decides; the others are `not_applicable`, "not instrumented".',
    table(
      ['property', 'holds when', 'of a fleet with levers'],
      CHECKERS.map(({ name, claim, needs, seen }) => [
        code(name),
        claim,
        needs === undefined
          ? 'judged'
          : seen === undefined
            ? `needs the ${needs}`
            : `needs the ${needs}; what is seen counts`,
      ]),
    ),
  );
}

function mutants(): string {
  return page(
    'Mutants',
    'Fleets with one planted bug each. `killdrill selftest` runs them all: a mutant is killed only when the property named for it fails, with its witness.',
    table(
      ['mutant', 'its bug', 'layers that it removes', 'killed by', 'scenario'],
      MUTANTS.map(({ name, bug, removes, property, scenario: exposes }) => [
        code(name),
        bug,
        removes.join(', '),
        code(property),
        code(exposes),
      ]),
    ),
  );
}

function faults(): string {
  return page(
    'Faults',
    `What a timeline can do to the servers and the fleet of a drill. A fault that a drill could not inject, observe and undo makes its verdict inconclusive. A worker's planes are ${PLANES_OF.worker.map(code).join(', ')}: its connections to the store for flips, to the store for intents and tasks, and, with \`fleet.detectors\`, to the bus that its detectors publish on. An executor's are ${PLANES_OF.executor.map(code).join(', ')}: for flips, for the bus that it reads, and for the stops that it makes durable. The control API's are ${PLANES_OF.api.map(code).join(' and ')}: to its store, and from the operator to it. A drill has an API when a flip goes over it or a fault hits it. A fault on a plane acts on the connections that are there and on those that come, in a proxy of that process and plane; what is held or delayed goes on in order afterwards. A \`clock\` adds its offset to what a worker's wall clock says; it is for the simulated fleet only, which reads its wall clock through a seam for that (\`KILLDRILL_SIM_CLOCK\`, no part of [the contract](fleet-contract.md)): no program of any language can be lied to about the time from outside. A scenario with \`fleet.command\` and a \`clock\` is refused. A \`tear\` leaves half of the state file that the fleet watches, a \`remove\` nothing of it; it is seen to act once every worker has said so. One that does something to \`kafka\` needs [an environment that has it](../guides/where-drills-run.md).`,
    table(
      ['kind', 'of', 'has to have', 'may have'],
      FAULT_KINDS.map((kind) => [
        code(kind),
        ['postgres', 'kafka', 'state-file', 'api', 'worker-1', 'executor-1']
          .filter((target) => hits(kind, target))
          .map(code)
          .join(', '),
        keysOf(kind).needs.map(code).join(', '),
        keysOf(kind).may.map(code).join(', '),
      ]),
    ),
  );
}

/** The validator's own word: `worker-1` stands for every worker, `executor-1` for every executor. */
function hits(kind: (typeof FAULT_KINDS)[number], target: string): boolean {
  return !faultMeaning({ kind, target }, { workers: 1, executors: 1, simulated: true, detects: 'tenant' }).some(
    ({ path }) => path.at(-1) === 'target',
  );
}

function exitCodes(): string {
  return page(
    'Exit codes',
    'Of every command.',
    table(
      ['code', 'means'],
      EXIT_MEANINGS.map(([number, meaning]) => [String(number), meaning]),
    ),
  );
}

function fleetContract(): string {
  return page(
    'What a fleet is told',
    'A fleet is a command; each of its workers is started with these variables in its environment. What does not apply is unset. [The guide](../guides/drill-your-own-fleet.md) says what it does with them.',
    table(
      ['variable', 'is', 'set'],
      CONTRACT_VARIABLES.map(({ name, meaning, always }) => [
        code(name),
        meaning,
        always ? 'always' : 'when it applies',
      ]),
    ),
  );
}

function scenario(): string {
  return page(
    'Scenario',
    'Every key of a scenario file. An unknown key is an error; `killdrill validate` names file, line and column. Editors read the same from `scenarios/scenario.schema.json`.',
    table(
      ['key', 'takes', 'default', 'means'],
      scenarioKeys(scenarioJsonSchema()).map(({ path, takes, otherwise, description }) => [
        code(path),
        takes,
        otherwise === 'required' ? otherwise : code(otherwise),
        description,
      ]),
    ),
  );
}

function scenarios(): string {
  return page(
    'Scenarios',
    'Every drill that is shipped, and what it would catch. `killdrill run NAME...` runs them; [the keys](scenario.md) make one of your own.',
    table(
      ['scenario', 'stops', 'what it is'],
      shippedNames()
        .map(findScenario)
        .map((one) => [`[${one.name}](../../scenarios/${one.name}.yaml)`, stopsOf(one), one.description.trim()]),
    ),
  );
}

/** Each stop once, in the order of the timeline. */
function stopsOf({ timeline }: Scenario): string {
  const stops = timeline.flatMap((entry) =>
    entry.kind === 'flip' ? [`${entry.scope}, ${code(entry.mode)}, ${queuePolicyOf(entry)}`] : [],
  );
  return [...new Set(stops)].join('; ');
}
