import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { judge } from '../../../../harness/checkers/judge.ts';
import { renderHtml } from '../../../../harness/report/html/page.ts';
import { cleanDrill } from '../../checkers/clean-drill.ts';
import { fault, plus, recordOf, withoutStops } from '../../checkers/history-builder.ts';
import { clean, environment, failed, inputOf, largeDrill, NASTY, nasty } from '../drills.ts';

const MEBIBYTE = 2 ** 20;
const page = renderHtml(clean);
const inner = (text: string, tag: string): string => new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(text)?.[1] ?? '';
const words = (text: string): string => text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');

describe('report.html', () => {
  it('says first the verdict, what was stopped, how fast each worker was, and what came after', () => {
    const head = words(page.slice(page.indexOf('<header'), page.indexOf('</header>')));
    expect(head).toContain('pass tenant-halt');
    expect(head).toContain('Stopped tenant:acme halt_all');
    expect(head).toMatch(/Time to stop 15 ms slowest, n 2 · budget 600 ms/);
    expect(head).toMatch(/Effects after 0 after the budget/);
    expect(head).toMatch(/worker-1 .*15 ms/);
    const bad = renderHtml(failed);
    const lead = words(bad.slice(bad.indexOf('<header'), bad.indexOf('</header>')));
    expect(lead).toMatch(/fail tenant-halt no_effect_after_stop effect \d+/);
    expect(lead).toMatch(/Effects after 1 after the budget/);
  });

  it('shows every property and expectation with its reason, what failed before the rest and open', () => {
    const bad = renderHtml(failed);
    for (const { name } of [...failed.judgement.properties, ...failed.judgement.expectations])
      expect(bad).toContain(`id="finding-${name}"`);
    const order = [...bad.matchAll(/id="finding-(\w+)"/g)].map(([, name]) => name);
    expect(order[0]).toBe('no_effect_after_stop');
    const first = bad.slice(bad.indexOf('id="finding-no_effect_after_stop"'), bad.indexOf(`id="finding-${order[1]}"`));
    expect(first).toContain('<details open>');
    expect(page).not.toContain('<details open>');
  });

  it('shows a late effect, and none where there is none', () => {
    const marks = (text: string): number => text.split('class="late" cx="').length - 1;
    const inKey = 1;
    expect(marks(page)).toBe(inKey);
    expect(marks(renderHtml(failed))).toBeGreaterThan(inKey);
  });

  it('numbers flips and faults, and says what each was', () => {
    const facts = { fault: 1, kind: 'cut', target: 'worker-2', plane: 'registry' } as const;
    const text = words(renderHtml(inputOf(recordOf(plus(cleanDrill(), ...fault(facts, 4_000, 5_000))))));
    expect(text).toMatch(/1 3\.000 s stop of tenant:acme \(halt_all\): durable 5\.0 ms later, revision 1/);
    expect(text).toMatch(/2 3\.900 s cut of worker-2, plane registry: for 1\.0 s/);
  });

  it('gives the same bytes for the same record, read anew', () => {
    const again = inputOf(recordOf(cleanDrill()));
    expect(renderHtml(again)).toBe(page);
  });

  it('fetches nothing, and runs its own style and script only', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
    const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src ${hash(inner(page, 'script'))}`);
    expect(policy).toContain(`style-src ${hash(inner(page, 'style'))}`);
    expect(page).not.toMatch(/ (?:src|style|on\w+)=|url\(|@import|https?:|href="(?!#)/);
  });

  it('shows as text what strangers made up', () => {
    const text = renderHtml(nasty);
    expect(text.split('<script>').length).toBe(2);
    expect(text).not.toContain('\u202e');
    expect(text).toContain('&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;');
    expect(text).not.toContain(NASTY);
  });

  it('has a name for every picture and no id twice', () => {
    const pictures = [...page.matchAll(/<svg [^>]*class="(?:lane|lane strip)"[^>]*>|<svg class="lane[^>]*>/g)].map(
      ([tag]) => tag,
    );
    expect(pictures.length).toBeGreaterThan(4);
    for (const tag of pictures) expect(tag).toMatch(/role="img" aria-label="[^"]+"/);
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('counts arrivals in bars where they cannot be told apart, says so, and stays small', () => {
    const binned = (one: string): number => one.split('Too many arrivals').length - 1;
    expect(binned(page)).toBe(1); // the whole drill, and not its close-up
    const text = renderHtml(largeDrill(20_000, 40));
    expect(text).toMatch(/Too many arrivals to tell apart: each bar counts those of \d+ ms/);
    expect(binned(text)).toBe(2);
    expect(text).toContain('25 others');
    expect(text.length).toBeLessThan(MEBIBYTE);
  });

  it('is there for a drill without a stop, for a torn record, and without its environment', () => {
    const calm = words(renderHtml(inputOf(recordOf(withoutStops(cleanDrill())))));
    expect(calm).toContain('no stop became durable');
    const torn = { ...clean.record, complete: false };
    expect(renderHtml(inputOf(torn))).toContain('The record is not whole');
    expect(renderHtml({ ...clean, environment: null })).toContain('does not say where it ran');
    const events = clean.record.events.filter(({ type }) => type !== 'flip.requested');
    const broken = { ...clean.record, events };
    expect(renderHtml({ record: broken, judgement: judge(broken), environment })).toContain('cannot be measured');
  });
});
