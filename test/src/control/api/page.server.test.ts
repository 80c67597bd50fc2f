import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { KEYS, openApiRig } from './api-rig.ts';
import type { ApiRig } from './api-rig.ts';
import { browserPath } from './chromium-tab.ts';
import type { Tab } from './chromium-tab.ts';
import { phoneTab } from './phone-tab.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const NASTY = `<img src=x onerror="document.title='taken'">&"'`;
const browser = browserPath();
let rig: ApiRig;
beforeAll(async () => {
  rig = await openApiRig();
  await rig.plane.ready();
});
afterAll(() => rig.close());

const halt = (body: Record<string, unknown>) => rig.post('/halt', { reason: NASTY, ...body }, KEYS.stop);
const release = (id: string) => rig.post('/release', { engagements: [id], reason: 'mended' }, KEYS.release);

describe('the page', () => {
  it('is whole without scripts, escapes what strangers made up, and lets nothing but its own run', async () => {
    await halt({ id: 'nasty', scope: 'tenant', target: NASTY, by: NASTY });
    const { text, type, headers, status } = await rig.get('/');
    expect([status, type]).toEqual([200, 'text/html; charset=utf-8']);
    expect(text).toContain('tenant:&lt;img src=x onerror=&quot;');
    expect(text).not.toContain('<img');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'sha256-[\w+/=]+'/);
    expect(policy).not.toContain('unsafe');
    expect(text).not.toMatch(/ on\w+=["']/);
    await release('nasty');
  });
});

describe.skipIf(browser === null)(
  `the page in a browser${browser === null ? ' (no Chromium on this machine)' : ''}`,
  () => {
    let tab: Tab;
    phoneTab(
      browser,
      () => `${rig.plane.url}/`,
      (one) => (tab = one),
    );
    const shown = (expression: string): Promise<unknown> => tab.evaluate(expression);
    const until = (expression: string): Promise<unknown> => tab.until(expression);

    it('follows what comes and goes, as text', async () => {
      await until(`document.getElementById('live').textContent === 'live'`);
      await halt({ id: 'seen', scope: 'tenant', target: NASTY });
      await until(`document.querySelector('[data-id=seen]')?.textContent.includes('revision')`);
      expect(await shown(`document.querySelector('[data-id=seen]').children[1].textContent`)).toBe(`tenant:${NASTY}`);
      expect(await shown(`document.title`)).not.toBe('taken');
      expect(await shown(`document.querySelectorAll('img').length`)).toBe(0);
      await release('seen');
      await until(`document.querySelector('[data-id=seen]') === null`);
    });

    it('fits a phone, before and with a stop', async () => {
      await halt({ id: 'wide', scope: 'agent', target: 'a'.repeat(300) });
      await until(`document.querySelector('[data-id=wide]') !== null`);
      expect(await shown(`document.documentElement.scrollWidth <= innerWidth`)).toBe(true);
      expect(await shown(`innerWidth`)).toBe(375);
      await release('wide');
    });

    it('stops with the key that stops, releases with the other, and says why it did not', async () => {
      const fill = (form: string, values: Record<string, string>): Promise<unknown> =>
        tab.evaluate(`(() => { const form = document.getElementById('${form}');
        for (const [name, value] of Object.entries(${JSON.stringify(values)})) form.elements[name].value = value;
        form.requestSubmit(); })()`);
      const said = (form: string, words: string): Promise<unknown> =>
        until(`document.getElementById('${form}-said').textContent.includes(${JSON.stringify(words)})`);
      const stop = { scope: 'tenant', target: 'acme', reason: 'by the page', key: KEYS.stop };
      await fill('stop', { ...stop, key: KEYS.release });
      await said('stop', 'kind release');
      await fill('stop', { ...stop, target: '' });
      await said('stop', 'body.target');
      await fill('stop', stop);
      await said('stop', 'Durable at revision');
      await until(`document.querySelector('#rows tr')?.textContent.includes('tenant:acme')`);
      await fill('release', { reason: 'mended', key: KEYS.release });
      await said('release', 'Tick');
      await tab.evaluate(`document.querySelector('#rows input').click()`);
      await fill('release', { reason: 'mended', key: KEYS.stop });
      await said('release', 'kind stop');
      await fill('release', { reason: 'mended', key: KEYS.release });
      await said('release', 'Released at revision');
      await until(`document.getElementById('open').textContent === 'Nothing is stopped.'`);
    });

    it('shows what is open with scripts off', async () => {
      await halt({ id: 'unscripted', scope: 'tenant', target: 'acme' });
      await tab.withoutScripts();
      await tab.go(`${rig.plane.url}/`);
      await until(`document.querySelector('[data-id=unscripted]')?.textContent.includes('tenant:acme')`);
      expect(await shown(`document.body.className`)).toBe('');
      expect(await shown(`getComputedStyle(document.getElementById('stop')).display`)).toBe('none');
      expect(await shown(`document.documentElement.scrollWidth <= innerWidth`)).toBe(true);
    });
  },
);
