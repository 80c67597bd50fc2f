import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { remakeSample, SAMPLE } from '../../docs/sample-report.ts';
import { openBundle } from '../../harness/bundle/open.ts';

const folder = join(fileURLToPath(new URL('../../', import.meta.url)), SAMPLE);

describe('the sample report', () => {
  it('is made again from its record to the same bytes', async () => {
    const again = await remakeSample(folder);
    expect([...again.keys()]).toEqual(readdirSync(folder).toSorted());
    for (const [name, bytes] of again) expect(bytes.equals(readFileSync(join(folder, name))), name).toBe(true);
  });

  it('is a bundle like any other, small, and of a drill that passed', async () => {
    const bundle = await openBundle(folder);
    expect(bundle.complete).toBe(true);
    const sizes = bundle.files.map((name) => readFileSync(bundle.path(name)).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(500_000);
    expect(readFileSync(bundle.path('report.html'), 'utf8')).toContain('<title>pass: tenant-halt');
  });
});
