import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PALETTE } from '../../../../harness/report/html/palette.ts';
import { renderHtml } from '../../../../harness/report/html/page.ts';
import { browserPath, openTab } from '../../../src/control/api/chromium-tab.ts';
import type { Tab } from '../../../src/control/api/chromium-tab.ts';
import { failed, largeDrill, nasty } from '../drills.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });
const browser = browserPath();
const MEBIBYTE = 2 ** 20;

describe.skipIf(browser === null)(
  `report.html in a browser${browser === null ? ' (no Chromium on this machine)' : ''}`,
  () => {
    let folder: string;
    let tab: Tab;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'killdrill-report-'));
      tab = await openTab(browser ?? '', join(folder, 'profile'), { width: 1280, height: 800 });
    });
    afterAll(async () => {
      await tab.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    });

    const shown = (expression: string): Promise<unknown> => tab.evaluate(expression);
    const open = async (name: string, text: string): Promise<void> => {
      const file = join(folder, name);
      writeFileSync(file, text);
      await tab.go(`file://${file}`);
      const here = `location.pathname.endsWith('/${name}') && document.readyState === 'complete'`;
      await vi.waitUntil(() => shown(here), { timeout: 60_000, interval: 20 });
    };
    const colour = (hex: string): string =>
      `rgb(${[1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(', ')})`;

    it('fits a desk, a phone and paper, in both themes, and shows what strangers made up as text', async () => {
      for (const [name, input] of Object.entries({ failed, nasty })) {
        await open(`${name}.html`, renderHtml(input));
        for (const width of [1280, 375, 320])
          for (const scheme of ['light', 'dark'] as const) {
            await tab.show({ media: 'screen', scheme, width });
            expect(await shown('document.documentElement.scrollWidth <= innerWidth'), `${name} ${width}`).toBe(true);
            expect(await shown('getComputedStyle(document.body).backgroundColor')).toBe(colour(PALETTE.page[scheme]));
          }
        await tab.show({ media: 'print', scheme: 'dark', width: 800 });
        expect(await shown('document.documentElement.scrollWidth <= innerWidth'), `${name} on paper`).toBe(true);
        expect(await shown('getComputedStyle(document.body).color')).toBe(colour(PALETTE.ink.light));
        expect(await shown('document.images.length + document.scripts.length')).toBe(1);
      }
    });

    it('puts verdict, stop, times and effects above the fold of a desk', async () => {
      await tab.show({ media: 'screen', scheme: 'light', width: 1280 });
      await open('fold.html', renderHtml(failed));
      expect(await shown(`document.querySelector('header').getBoundingClientRect().bottom < 800`)).toBe(true);
      const height = `Math.max(...[...document.querySelectorAll('.lane')].map((one) => one.getBoundingClientRect().height))`;
      expect(await shown(height)).toBeGreaterThan(20);
    });

    it('is used by keyboard: to the timeline first, and every fold opens', async () => {
      await open('keys.html', renderHtml(failed));
      await tab.press('Tab');
      expect(await shown('document.activeElement.className')).toBe('skip');
      await shown(`document.querySelector('details:not([open]) > summary').focus()`);
      await tab.press('Enter');
      await vi.waitUntil(() => shown('document.activeElement.parentElement.open'), { timeout: 30_000, interval: 20 });
    });

    it('opens what is folded away for whoever prints, and what a link leads to', async () => {
      await open('folds.html', renderHtml(failed));
      const closed = `document.querySelectorAll('details:not([open])').length`;
      expect(await shown(closed)).toBeGreaterThan(3);
      await shown(`location.hash = 'finding-release_needs_green'`);
      const leads = `document.getElementById('finding-release_needs_green').closest('details').open`;
      await vi.waitUntil(() => shown(leads), { timeout: 30_000, interval: 20 });
      await shown(`dispatchEvent(new Event('beforeprint'))`);
      expect(await shown(closed)).toBe(0);
    });

    it('keeps 200,000 effects below three megabytes, and draws them', async () => {
      const text = renderHtml(largeDrill(200_000, 16));
      expect(Buffer.byteLength(text)).toBeLessThan(3 * MEBIBYTE);
      await open('large.html', text);
      expect(await shown(`document.querySelectorAll('.lane').length > 30`)).toBe(true);
    });

    it('is whole without scripts', async () => {
      await tab.withoutScripts();
      await open('bare.html', renderHtml(failed));
      expect(await shown(`document.querySelectorAll('main > section').length`)).toBe(6);
      expect(await shown('getComputedStyle(document.body).backgroundColor')).toBe(colour(PALETTE.page.light));
    });
  },
);
