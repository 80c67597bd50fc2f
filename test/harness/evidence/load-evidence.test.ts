import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadEvidence } from '../../../harness/evidence/load-evidence.ts';
import { sealOf } from '../../../harness/evidence/seal.ts';
import { madeEvidence } from './made-evidence.ts';

const NOW = Date.parse('2026-02-01T00:00:00Z');
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-evidence-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, content: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  return file;
}
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('kept evidence', () => {
  it('is found in folders below and as copies, each drill once, in order of time', () => {
    mkdirSync(join(folder, 'a', 'b'), { recursive: true });
    put('a/b/evidence.json', madeEvidence({ nth: 1, end: '2026-01-03T00:00:00.000Z' }));
    put('q1.evidence.json', madeEvidence({ nth: 2, end: '2026-01-02T00:00:00.000Z' }));
    put('again.evidence.json', JSON.stringify(madeEvidence({ nth: 1, end: '2026-01-03T00:00:00.000Z' })));
    put('other.json', '{}');
    const { kept, leftOut, copies } = loadEvidence([folder], NOW);
    expect(kept.map(({ evidence }) => evidence.bundle.name)).toEqual(['run-2', 'run-1']);
    expect([leftOut, copies]).toEqual([[], 1]);
  });

  const good = JSON.stringify(madeEvidence({ nth: 9 }), null, 2);
  it.each([
    ['cut short', good.slice(0, 900), /the end of the file in the middle of it/, good.slice(0, 900).split('\n').length],
    ['empty', '', /found nothing/, 1],
    ['no JSON', '{\n  no\n}', /found no JSON/, 2],
    ['of somebody else', '{"version":1}', /JSON of another kind, expected "kind": "killdrill evidence"/, null],
    ['a list', '[]', /JSON of another kind/, null],
    [
      'from the future of killdrill',
      good.replace('"version": 1', '"version": 2'),
      /found version 2, expected 1; a newer killdrill/,
      null,
    ],
    [
      'edited',
      good.replace('"verdict": "pass"', '"verdict": "fail"'),
      /it was edited: found content with sha256/,
      good.split('\n').length - 1,
    ],
    [
      'of another form',
      good.replace('"exitCode": 0', '"exitCode": "0"'),
      /result\.exitCode is not what killdrill writes/,
      0,
    ],
    ['deeply nested', `${'['.repeat(200_000)}`, /nested|no JSON|middle/, undefined],
  ])('that is %s does not count and is named, with its line', (_what, text, why, line) => {
    put('bad.evidence.json', text);
    put('good.evidence.json', madeEvidence({ nth: 1 }));
    const { kept, leftOut } = loadEvidence([folder], NOW);
    expect(kept.map(({ evidence }) => evidence.bundle.name)).toEqual(['run-1']);
    expect(leftOut).toEqual([
      { file: join(folder, 'bad.evidence.json'), line: expect.toSatisfy(() => true), why: expect.stringMatching(why) },
    ]);
    if (line === 0) expect(text.split('\n')[(leftOut[0]?.line ?? 0) - 1]).toContain('exitCode');
    else if (line !== undefined) expect(leftOut[0]?.line).toBe(line);
  });

  it('keeps its seal when it is only indented anew', () => {
    put('a.evidence.json', JSON.stringify(madeEvidence(), null, 7));
    expect(loadEvidence([folder], NOW)).toMatchObject({ kept: [{}], leftOut: [] });
  });

  it('does not count before its drill has ended, by the clock of this machine', () => {
    put('a.evidence.json', madeEvidence({ end: '2026-02-01T00:00:00.001Z' }));
    const { kept, leftOut } = loadEvidence([folder], NOW);
    expect([kept, leftOut]).toEqual([
      [],
      [
        expect.objectContaining({
          why: expect.stringMatching(/ended at 2026-02-01T00:00:00\.001Z, and here it is/) as string,
        }),
      ],
    ]);
    expect(loadEvidence([folder], NOW + 1).kept).toHaveLength(1);
  });

  it('does not count when two files tell of one run otherwise', () => {
    put('a.evidence.json', madeEvidence({ nth: 1 }));
    put('b.evidence.json', madeEvidence({ nth: 1, verdict: 'fail' }));
    const { kept, leftOut } = loadEvidence([folder], NOW);
    expect(kept).toEqual([]);
    expect(leftOut.map(({ why }) => why)).toEqual([
      expect.stringContaining('b.evidence.json tells otherwise'),
      expect.stringContaining('a.evidence.json tells otherwise'),
    ]);
  });

  it('is held against the bundle that it lies in', () => {
    const verdict = JSON.stringify({ verdict: 'pass' });
    const manifest = JSON.stringify({ files: { 'verdict.json': { sha256: sha256(verdict) } } });
    const sealed = (more: object) => {
      const { sha256: _old, ...content } = { ...madeEvidence(), ...more };
      return { ...content, sha256: sealOf(content) };
    };
    const bundle = { ...madeEvidence().bundle, manifestSha256: sha256(manifest) };
    put('manifest.json', manifest);
    put('verdict.json', verdict);
    const why = (): string | undefined => loadEvidence([folder], NOW).leftOut[0]?.why;
    put('evidence.json', sealed({ bundle }));
    expect(why()).toBeUndefined();
    put('evidence.json', sealed({ bundle, result: { ...madeEvidence().result, verdict: 'fail' } }));
    expect(why()).toMatch(/it says fail, and the verdict\.json beside it "pass"; it was edited/);
    put('evidence.json', sealed({}));
    expect(why()).toMatch(/evidence of another bundle: the manifest beside it has sha256/);
    put('evidence.json', sealed({ bundle }));
    put('verdict.json', verdict.replace('pass', 'fail'));
    expect(why()).toMatch(/verdict\.json beside it is not the one in the manifest/);
    rmSync(join(folder, 'verdict.json'));
    expect(why()).toMatch(/has lost its verdict\.json/);
    rmSync(join(folder, 'evidence.json'));
    expect(loadEvidence([folder], NOW).bundlesWithout).toEqual([folder]);
  });

  it('is not waited for in a pipe, and what cannot be read is named', () => {
    execFileSync('mkfifo', [join(folder, 'pipe.evidence.json')]);
    symlinkSync(join(folder, 'gone'), join(folder, 'link.evidence.json'));
    put('big.evidence.json', ' '.repeat(1_048_577));
    put('good.evidence.json', madeEvidence());
    const { kept, leftOut } = loadEvidence([folder, join(folder, 'no-such-file.json')], NOW);
    expect(kept).toHaveLength(1);
    expect(leftOut.map(({ why }) => why)).toEqual([
      expect.stringMatching(/1048577 bytes, expected at most/),
      expect.stringMatching(/cannot be read \(ENOENT/),
      expect.stringMatching(/cannot be read \(ENOENT/),
      expect.stringMatching(/no ordinary file/),
    ]);
  });

  it('is not looked for behind a link to a folder, which is named', () => {
    mkdirSync(join(folder, 'elsewhere'));
    mkdirSync(join(folder, 'here'));
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'here', 'linked'));
    put(join('elsewhere', 'evidence.json'), madeEvidence());
    expect(loadEvidence([join(folder, 'here')], NOW)).toMatchObject({
      kept: [],
      leftOut: [{ file: join(folder, 'here', 'linked'), why: expect.stringMatching(/link to a folder/) as string }],
    });
  });

  it('says each thing once: a second value for a name that a reader may take for the first is no evidence', () => {
    const text = JSON.stringify(madeEvidence());
    put('evidence.json', text.replace('"verdict":"pass"', '"verdict":"fail","verdict":"pass"'));
    expect(loadEvidence([folder], NOW).leftOut[0]?.why).toMatch(/more than one value for a name/);
    put('evidence.json', JSON.stringify(JSON.parse(text), null, 3));
    expect(loadEvidence([folder], NOW).kept).toHaveLength(1);
  });

  it('may be of a thousand drills', () => {
    for (let nth = 0; nth < 1_000; nth += 1) {
      mkdirSync(join(folder, `${nth % 10}`), { recursive: true });
      put(join(`${nth % 10}`, `${nth}.evidence.json`), madeEvidence({ nth }));
    }
    const { kept, leftOut } = loadEvidence([folder], NOW);
    expect([kept.length, leftOut]).toEqual([1_000, []]);
  });
});
