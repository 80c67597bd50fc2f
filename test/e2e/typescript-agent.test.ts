import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workshop, project } from './workshop.ts';
import type { Ended } from './workshop.ts';

let workshop: Workshop;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.close());

/** The example's scenario as it stands, its paths made absolute, with so much of it changed. */
function drill(name: string, change: (text: string) => string): Promise<Ended> {
  const text = readFileSync(`${project}examples/typescript-agent/drill.yaml`, 'utf8');
  const absolute = text
    .replace('examples/typescript-agent/', `${project}examples/typescript-agent/`)
    .replace('tsx,', `${project}node_modules/tsx/dist/loader.mjs,`);
  const path = workshop.write(`${name}.yaml`, change(absolute));
  return workshop.run(['run', path, '--environment', 'embedded', '--out', 'reports', '-q', '--json']);
}

/** But for tsx's own cache, which it keeps for the next one. */
function left(): readonly string[] {
  return workshop.left().filter((one) => !one.startsWith('folder tsx-'));
}

interface Verdict {
  readonly verdict: string;
  readonly worst: { readonly name: string; readonly reason: string } | null;
  readonly properties: readonly { readonly name: string; readonly verdict: string }[];
}

describe('the fleet of examples/typescript-agent', () => {
  it('passes its drill, with every property that it asks for shown', async () => {
    const { code, stdout, stderr } = await drill('passes', (text) => text);
    const { verdict, worst, properties } = JSON.parse(stdout) as Verdict;
    expect({ code, verdict, worst: worst?.reason }, stderr).toMatchObject({ code: 0, verdict: 'pass' });
    expect(properties).toHaveLength(10);
    expect(properties.filter((one) => one.verdict !== 'pass')).toEqual([]);
    expect(left()).toEqual([]);
  });

  it('fails it when somebody forgot to wrap its fetch', async () => {
    const { code, stdout } = await drill('raw', (text) => text.replace('agent.ts]', 'agent.ts, --raw-fetch]'));
    const { verdict, worst, properties } = JSON.parse(stdout) as Verdict;
    expect({ code, verdict, worst: worst?.name }).toEqual({ code: 1, verdict: 'fail', worst: 'no_effect_after_stop' });
    expect(properties.filter((one) => one.verdict === 'fail').map(({ name }) => name)).toContain(
      'journal_matches_witness',
    );
    expect(left()).toEqual([]);
  });
});
