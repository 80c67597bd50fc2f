import { EXIT } from '../harness/cli/exit.ts';
import { HALT_VARIABLES } from '../harness/cli/halt-variables.ts';
import { markdownCode as code, markdownTable as table } from '../harness/report/markdown.ts';
import { TASK_STATES } from '../src/store/store.ts';
import type { TaskState } from '../src/store/store.ts';
import { QUEUE_POLICIES, SCOPES, STOP_MODES } from '../src/switch.ts';
import type { QueuePolicy, Scope, StopMode } from '../src/switch.ts';
import { EARLIER_NAMES } from './earlier-names.ts';
import { page } from './markdown.ts';

const WHEN: Readonly<Record<Scope, readonly [when: string, example: string]>> = {
  global: ['nobody knows yet what is wrong, or everything is', 'halt'],
  tenant: ['one customer is harmed, or does harm', 'halt tenant acme'],
  feature: ['one feature does it, for everybody', 'halt feature mailer'],
  capability: ['one kind of effect must not happen any more, whoever asks for it', "halt capability 'write/*'"],
  agent: ['one agent does it', 'halt agent agent-7'],
  run: ['one run does it, and what it has started', 'halt run run-17'],
};

const MODES: Readonly<Record<StopMode, string>> = {
  halt_noncritical: 'what the operator declared critical goes on; the rest is parked, and comes back with the release',
  halt_all: 'nothing goes on; the default',
  emergency: 'the same, and every worker writes down its state and tells the hooks, after it has stopped',
};

const QUEUES: Readonly<Record<QueuePolicy, string>> = {
  discard: 'queued work ends; `killdrill resume` alone brings it back; the default',
  park: 'queued work waits, and comes back by itself with the last release that covers it',
  drain: 'what is queued already may pass for so long (`--drain 30s`), nothing new; not with `emergency`',
};

const STATES: Readonly<Record<TaskState, readonly [meaning: string, mend: string]>> = {
  queued: ['waits for its time', ''],
  running: ['a worker has it', 'none is left so under a stop'],
  done: ['ended', ''],
  failed: ['ended badly', ''],
  parked: ['a stop holds it', 'release'],
  discarded: ['a stop ended it; its plan is kept', 'release, then resume'],
  unknown: ['its worker vanished with an effect open', 'look into the ledger, then resume it by its run'],
};

const SAYS: readonly (readonly [says: string, exitCode: number, means: string, then: string])[] = [
  ['durable at revision n', EXIT.pass, 'no worker is let into an effect in scope any more', 'check, below'],
  [
    'NOT DURABLE yet … has it',
    EXIT.inconclusive,
    'the API enforces it where it can reach, and sends it until it is stored',
    'see to the store; halt again when in doubt: it is another engagement',
  ],
  [
    'NOT DURABLE … kept at PATH, nobody is sending it',
    EXIT.error,
    'nothing is promised; each way that was tried says what it did',
    "`killdrill halt --resend`, from a machine that reaches the store; a fleet that cannot reach it stops by itself when its workers' leases end",
  ],
  ['a sentence, and nothing else', EXIT.usage, 'the words were no stop: nothing was done', 'mend the words'],
];

/** The page for whoever is on call, made from the lists that the code uses. */
export function runbook(): string {
  return page(
    'Runbook',
    'What to do when agents do harm. [Stop a fleet](../guides/stop-a-fleet.md) explains the command, [Stop, and bring back](../guides/stop-and-bring-back.md) what comes after it.',
    '## 1. Which switch',
    'The smallest that is enough; `--preview` shows what each would hit, and costs a second. In doubt the wider one: a stop is undone, an effect is not.',
    table(
      ['scope', 'when', 'command'],
      SCOPES.map((scope) => [code(scope), WHEN[scope][0], code(`killdrill ${WHEN[scope][1]}`)]),
    ),
    table(
      ['`--mode`', 'means'],
      STOP_MODES.map((mode) => [code(mode), MODES[mode]]),
    ),
    table(
      ['`--queue`', 'means'],
      QUEUE_POLICIES.map((policy) => [code(policy), QUEUES[policy]]),
    ),
    '## 2. Stop',
    shell(
      'npx killdrill halt --preview                              # what it would hit; nothing is stopped',
      "npx killdrill halt tenant acme --reason 'wrong names'     # one tenant",
      'npx killdrill halt                                        # everything',
    ),
    '## 3. What it says',
    table(
      ['it says', 'exit', 'that means', 'then'],
      SAYS.map(([says, exitCode, means, then]) => [says, String(exitCode), means, then]),
    ),
    '## 4. Check',
    shell(
      'npx killdrill release              # without a name: what is open, since when, by whom and why',
      'npx killdrill watch                # the same, and what comes, until Ctrl-C',
      'npx killdrill ledger --since 1     # what landed since, and what nobody knows of',
    ),
    table(
      ['a task that is', 'means', 'what brings it back'],
      TASK_STATES.map((state) => [code(state), ...STATES[state]]),
    ),
    '## 5. Come back',
    'Mend it, declare what runs now, release what you saw, and bring back what was discarded.',
    shell(
      "npx killdrill release tenant acme --reason 'rolled back'           # red, exit 1: it still runs what it ran",
      'npx killdrill resume --tenant acme --rate 50/s --reason mended     # discarded work, staged',
    ),
    '## The ways of a stop',
    'Each that is named in the environment is tried, in this order, until one has made it durable. It is one flip with one id on all of them.',
    table(
      ['variable', 'is'],
      HALT_VARIABLES.map(([name, meaning]) => [code(name), meaning]),
    ),
    '## Names of earlier systems',
    table(['there', 'here', 'what is different'], EARLIER_NAMES),
  );
}

function shell(...lines: readonly string[]): string {
  return ['```sh', ...lines, '```'].join('\n');
}
