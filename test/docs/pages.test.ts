import { describe, expect, it } from 'vitest';
import { PAGES } from '../../docs/pages.ts';
import { scenarioKeys } from '../../docs/scenario-keys.ts';
import { stalePages } from '../../docs/stale-pages.ts';
import { MUTANTS } from '../../fleet-sim/mutants/registry.ts';
import { CHECKERS } from '../../harness/checkers/registry.ts';
import { HALT_VARIABLES } from '../../harness/cli/halt-variables.ts';
import { shippedNames } from '../../harness/cli/find-scenario.ts';
import { TASK_STATES } from '../../src/store/store.ts';
import { QUEUE_POLICIES, SCOPES, STOP_MODES } from '../../src/switch.ts';

const textOf = (name: string): string => PAGES[`docs/reference/${name}.md`]?.() ?? '';

describe('the generated reference', () => {
  it('names every property with its claim', () => {
    for (const { name, claim } of CHECKERS) expect(textOf('properties')).toContain(`| \`${name}\` | ${claim} |`);
  });

  it('names every mutant, its bug, and a property that exists', () => {
    const properties = CHECKERS.map(({ name }) => name);
    for (const { name, bug, property } of MUTANTS) {
      expect(textOf('mutants')).toContain(`| \`${name}\` | ${bug} |`);
      expect(properties).toContain(property);
    }
  });

  it('says of each fault what it can hit, as the validator does', () => {
    expect(textOf('faults')).toContain('| `kill` | `postgres`, `kafka`, `api`, `worker-1`, `executor-1` |');
    expect(textOf('faults')).toContain('| `restart` | `postgres`, `kafka`, `api`, `worker-1`, `executor-1` |');
    expect(textOf('faults')).toContain('| `clock` | `worker-1` | `offset` |');
    expect(textOf('faults')).toContain('| `cut` | `api`, `worker-1`, `executor-1` | `plane` |');
    expect(textOf('faults')).toContain(
      '| `latency` | `api`, `worker-1`, `executor-1` | `plane`, `delay` | `direction` |',
    );
  });

  it('names every scenario that is shipped, what it stops, and what it would catch', () => {
    const names = shippedNames();
    expect(names).toContain('tenant-halt');
    const lines = textOf('scenarios').split('\n');
    for (const name of names) {
      const row = lines.find((line) => line.startsWith(`| [${name}](../../scenarios/${name}.yaml) |`));
      expect(row).toMatch(/ \| (?:global|tenant|feature|capability|agent|run), `.* \| .*would catch/);
    }
  });

  it('has a runbook that says of every scope, mode and policy when, and of every state what it means', () => {
    const runbook = textOf('runbook');
    for (const name of [...SCOPES, ...STOP_MODES, ...QUEUE_POLICIES, ...TASK_STATES]) {
      expect(runbook).toMatch(new RegExp(`^\\| \`${name}\` \\| .{5}`, 'm'));
    }
    for (const [name] of HALT_VARIABLES) expect(runbook).toContain(`| \`${name}\` |`);
    for (const name of ['trip', 'is_halted', 'CircuitBreakerTripped', 'engage', 'disengage', '/reset']) {
      expect(runbook).toContain(`\`${name}\``);
    }
  });

  it('shows keys inside maps, lists and unions, each once, with what they take', () => {
    const moment = { properties: { at: { type: 'string', pattern: '(?:ms|s|m)$' } } };
    const kind = { enum: ['kill', 'pause'], description: 'What is done.' };
    const keys = scenarioKeys({
      required: ['timeline'],
      properties: {
        version: { const: 1 },
        fleet: { type: 'object', properties: { workers: { type: 'integer', minimum: 1, maximum: 64, default: 4 } } },
        timeline: {
          type: 'array',
          items: { anyOf: [moment, { required: ['kind'], properties: { ...moment.properties, kind } }] },
        },
      },
    });
    expect(keys.map(({ path, takes, otherwise }) => [path, takes, otherwise])).toEqual([
      ['version', '1', ''],
      ['fleet', 'map', ''],
      ['fleet.workers', 'integer 1 to 64', '4'],
      ['timeline', 'list of anything', 'required'],
      ['timeline[].at', 'time, such as 500ms, 1.2s, 1m', ''],
      ['timeline[].kind', 'kill, pause', ''],
    ]);
  });

  it('finds a page that is out of date or missing, and no other', () => {
    const pages = { 'a.md': () => 'a', 'b.md': () => 'b', 'c.md': () => 'c' };
    const stored: Readonly<Record<string, string>> = { 'a.md': 'a', 'b.md': 'b, once' };
    expect(stalePages(pages, (path) => stored[path] ?? null)).toEqual(['b.md', 'c.md']);
  });
});
