import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerdictFile } from '../../harness/checkers/verdict-file.ts';
import { isOrdinary } from '../../harness/traffic/ordinary.ts';
import { parseTrace } from '../../harness/traffic/trace-text.ts';
import { madeUpIncident } from '../harness/import/made-up-incident.ts';
import { deedsOf } from '../docs/guide.ts';
import { Workshop } from './workshop.ts';
import type { Ended } from './workshop.ts';

describe('an incident of 20,000 spans', () => {
  let workshop: Workshop;
  let imported: Ended;
  let drill: Ended;

  beforeAll(async () => {
    workshop = new Workshop();
    const { flips, alerts, spans } = madeUpIncident();
    workshop.write('flips.csv', flips);
    workshop.write('alerts.jsonl', alerts);
    workshop.write('spans.json', spans);
    // As the guide has it: its mapping, and its two commands.
    const [mapping, ...commands] = deedsOf('docs/guides/replay-an-incident.md');
    if (mapping?.kind === 'file') workshop.write(mapping.name, mapping.text);
    const [first = [], second = []] = commands.map((deed) =>
      deed.kind === 'command' ? deed.line.split(' ').slice(2) : [],
    );
    imported = await workshop.run(first);
    drill = await workshop.run([...second, '--json']);
  });
  afterAll(() => workshop.close());

  it('is a drill by two commands, whose stop is judged', () => {
    expect(imported).toMatchObject({ code: 0 });
    const verdict = JSON.parse(drill.stdout) as VerdictFile;
    const notDecided = verdict.properties.filter((one) => !['pass', 'not_applicable'].includes(one.verdict));
    expect(notDecided).toEqual([]);
    expect(verdict).toMatchObject({ scenario: 'checkout-storm', verdict: 'pass', flips: [{ kind: 'stop' }, {}] });
    expect(drill.code).toBe(0);
    expect(workshop.left()).toEqual([]);
  });

  it('says what it could not reconstruct, what it assumed and what it put right, in a file too', () => {
    const page = readFileSync(join(workshop.folder, 'storm/import.md'), 'utf8');
    expect(imported.stdout.replaceAll(/\s+/g, ' ')).toContain(page.replaceAll(/\s+/g, ' ').trim());
    expect(page).toContain('- what was sent: the drill’s effects carry made-up payloads.');
    expect(page).toMatch(
      /flips\.csv is 1 h 0 min 0 s behind that of alerts\.jsonl, .* the times of alerts\.jsonl were moved/,
    );
    expect(page).toMatch(/rows of spans\.json come after a later one, the first of them at spans\.json:\d+/);
    expect(page).toContain('- tenant: 8 different names, hashed.');
  });

  it('keeps no name that its mapping hashes, and no reason that it drops', () => {
    const folder = join(workshop.folder, 'storm');
    expect(readdirSync(folder).toSorted()).toEqual(['import.md', 'scenario.yaml', 'trace.jsonl.gz']);
    const trace = gunzipSync(readFileSync(join(folder, 'trace.jsonl.gz'))).toString();
    const written = [trace, readFileSync(join(folder, 'scenario.yaml'), 'utf8')].join('');
    expect(written).not.toMatch(/umbrella|acme|loop/);
    const { runs } = parseTrace(trace, 'trace');
    expect(runs.every(isOrdinary)).toBe(true);
    expect(runs.length).toBeGreaterThan(500);
  });

  it('is not written over', async () => {
    const records = ['--flips', 'flips.csv', '--spans', 'spans.json', '--mapping', 'mapping.yaml'];
    const again = await workshop.run(['import', ...records, '--out', 'storm']);
    expect(again.code).toBe(3);
    expect(again.stderr.replaceAll('\n', ' ')).toMatch(/found a folder with 'import\.md' in it, expected a new folder/);
  });
});
