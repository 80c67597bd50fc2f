import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workshop } from './workshop.ts';

let workshop: Workshop;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.close());

describe('selftest', () => {
  it('fails a mutant by the property named for it, and passes a clean fleet', async () => {
    const names = ['flag-cached-at-boot', 'clean'];
    const { code, stdout, stderr } = await workshop.run(['selftest', ...names, '--out', 'out', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      rows: [
        { name: 'clean', kind: 'control', sound: true, why: null, verdict: 'pass', property: null },
        {
          name: 'flag-cached-at-boot',
          kind: 'mutant',
          sound: true,
          why: null,
          verdict: 'fail',
          property: 'no_effect_after_stop',
          witness: expect.stringMatching(/./) as string,
        },
      ],
    });
    expect(code).toBe(0);
    expect(stderr).toMatch(/clean: as it must be\n[^]*flag-cached-at-boot: as it must be\n/);
    expect(workshop.left()).toEqual([]);
  });
});
