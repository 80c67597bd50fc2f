import { describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../../harness/report/verdict-markdown.ts';
import { clean, failed, nasty, NASTY } from './drills.ts';

const reproduce = 'killdrill run tenant-halt --seed 42';

describe('report.md', () => {
  it('begins with the verdict, and has the stop, every claim, and the command', () => {
    const text = renderMarkdown(clean.judgement, { reproduce });
    expect(text).toMatch(/^## ✅ tenant-halt: pass\n/);
    expect(text).toMatch(/\| tenant:acme \(r1\) \| halt_all \| n 2 · max 15 ms \| 0 \| 0 \| 0 \|/);
    for (const { name } of clean.judgement.properties) expect(text).toContain(`\`${name}\``);
    expect(text).toContain(`\`${reproduce}\``);
    expect(renderMarkdown(failed.judgement, { reproduce })).toMatch(/^## ❌ [^]*\*\*Worst:\*\* `no_effect_after_stop`/);
  });

  it('obeys nothing that strangers made up', () => {
    const text = renderMarkdown(nasty.judgement, { reproduce });
    expect(text).not.toContain(NASTY);
    expect(text).not.toMatch(/<script|^::error/m);
    const tables = text.split('\n').filter((line) => line.startsWith('| ❌') || line.startsWith('| ✅'));
    expect(tables.length).toBeGreaterThan(5);
    for (const line of tables) expect(line.replaceAll('\\|', '').split('|')).toHaveLength(5);
  });
});
