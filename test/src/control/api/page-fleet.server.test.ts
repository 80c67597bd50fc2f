import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { StoreHandles } from '../../store/contract/world.ts';
import { SOMEBODY, sampleIntent, sampleTask } from '../../store/samples.ts';
import { KEYS, NAMESPACE, openApiRig } from './api-rig.ts';
import type { ApiRig } from './api-rig.ts';
import { browserPath } from './chromium-tab.ts';
import type { Tab } from './chromium-tab.ts';
import { phoneTab } from './phone-tab.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const NASTY = `<img src=x onerror="document.title='taken'">`;
const browser = browserPath();
/** Where to leave what the browser shows, for eyes; nowhere unless told. */
const shots = process.env['KILLDRILL_SCREENSHOTS'];
let rig: ApiRig;
let store: StoreHandles;
let reports = 0;

beforeAll(async () => {
  rig = await openApiRig();
  await rig.plane.ready();
  store = rig.database.open(NAMESPACE);
  for (const [worker, pool] of [
    ['worker-1', 'mail'],
    [NASTY, 'mail'],
  ] as const) {
    const identity = { incarnation: `${worker}-life-1`, worker, pool, version: '4.2.0', leaseMs: 1_200 };
    await store.reports.register({ ...identity, longestDeadlineMs: 1_000 });
  }
  await store.effectiveness.declareInventory({ pools: { mail: 2 }, closed: true }, SOMEBODY);
  const { head } = await store.flips.load();
  await store.fence.enqueue(head, [sampleTask('a', { feature: null }), sampleTask('b', { feature: null })]);
  const call = { deadlineMs: 3_600_000, run: 'a', capability: 'write/mail' };
  await store.fence.admitIntents('worker-1-life-1', head, [sampleIntent(1, call)]);
});
afterAll(async () => {
  await store.close();
  await rig.close();
});

const halt = (body: Record<string, unknown>) => rig.post('/halt', { reason: 'x', ...body }, KEYS.stop);
const release = (id: string) => rig.post('/release', { engagements: [id], reason: 'mended' }, KEYS.release);

/** What both workers would say themselves. */
async function report(busy: readonly string[] = [], canary: number | null = null): Promise<void> {
  const { head } = await store.flips.load();
  reports += 1;
  for (const worker of ['worker-1', NASTY]) {
    const own = worker === 'worker-1' ? busy : [];
    const said = { head, busy: own, inFlight: own.length, canary };
    expect(await store.reports.report(`${worker}-life-1`, reports, said)).toBe(true);
  }
}

describe('the fleet on the page', () => {
  it('is there without scripts: workers, and how each stands to what is open, with strangers’ words escaped', async () => {
    await halt({ id: 'open', scope: 'tenant', target: 'acme' });
    await report(['open']);
    const text = await vi.waitUntil(
      async () => {
        const page = (await rig.get('/')).text;
        return page.includes('tenant:acme: confirmed') ? page : null;
      },
      { timeout: 30_000, interval: 100 },
    );
    expect(text).toContain('tenant:acme: unconfirmed');
    expect(text).toContain('2 registered');
    expect(text).toContain('4.2.0');
    expect(text).toContain('&lt;img src=x');
    expect(text).not.toContain('<img');
    expect(text).toMatch(/pending: 1 confirmed, 0 fenced, 1 unconfirmed; worker-1: calls in scope are open/);
    expect(text).toMatch(/<p id="proven" class="bad">not proven able to halt: /);
    await release('open');
  });

  it('is whole though the store is slow: the page waits for it no longer than a second', async () => {
    const lock = await rig.database.connect(rig.database.ownerUrl);
    await lock.query('begin');
    await lock.query('lock table killdrill.worker in access exclusive mode');
    try {
      const page = await vi.waitUntil(
        async () => {
          const { status, text } = await rig.get('/');
          return status === 200 && text.includes('>NOT SEEN NOW: ') ? text : null;
        },
        { timeout: 30_000, interval: 100 },
      );
      expect(page).toContain('What is stopped');
    } finally {
      await lock.query('rollback');
    }
    await vi.waitUntil(async () => !(await rig.get('/')).text.includes('>NOT SEEN NOW: '), { timeout: 30_000 });
  });
});

describe('GET /preview', () => {
  it('counts what a stop would hit and what narrower ones would, and stops nothing', async () => {
    const { status, json } = await rig.get('/preview');
    expect([status, json]).toMatchObject([
      200,
      { scope: 'global', target: '*', mode: 'halt_all', preview: { hits: { inFlight: 1, queued: 2 } } },
    ]);
    const acme = await rig.get('/preview?scope=tenant&target=nobody&mode=emergency');
    expect(acme.json).toMatchObject({ scope: 'tenant', target: 'nobody', preview: { items: 0 } });
    expect((await rig.get('/switches')).json['engagements']).toEqual([]);
  });

  it.each([
    ['?scope=tenant', 'query.target'],
    ['?scope=galaxy', 'query.scope'],
    ['?mode=disengaged', 'query.mode'],
    ['?scope=tenant&target=', 'query.target'],
    ['?scope=tenant&target=%00', 'query.target'],
    ['?what=everything', 'query.what'],
  ])('names what is wrong with %s', async (query, field) => {
    expect(await rig.get(`/preview${query}`)).toMatchObject({ status: 400, json: { field } });
  });
});

describe.skipIf(browser === null)(
  `the fleet in a browser${browser === null ? ' (no Chromium on this machine)' : ''}`,
  () => {
    let tab: Tab;
    phoneTab(
      browser,
      () => `${rig.plane.url}/`,
      (one) => (tab = one),
    );
    const shown = (expression: string): Promise<unknown> => tab.evaluate(expression);
    const until = (expression: string): Promise<unknown> => tab.until(expression);
    const fill = (values: Record<string, string>): Promise<unknown> =>
      tab.evaluate(`(() => { const form = document.getElementById('stop');
        for (const [name, value] of Object.entries(${JSON.stringify(values)})) form.elements[name].value = value; })()`);
    const keep = async (name: string): Promise<void> => {
      const picture = await tab.screenshot();
      expect(picture.subarray(1, 4).toString('latin1')).toBe('PNG');
      if (shots !== undefined) writeFileSync(join(shots, `${name}.png`), picture);
    };
    const fits = () => shown(`document.documentElement.scrollWidth <= innerWidth`);

    it('becomes effective before one’s eyes', async () => {
      await until(`document.getElementById('live').textContent === 'live'`);
      await halt({ id: 'seen', scope: 'tenant', target: 'acme' });
      await report(['seen']);
      const progress = `document.querySelector('[data-id=seen] [data-label=fleet]')?.textContent`;
      await until(`${progress}?.startsWith('pending: 1 confirmed')`);
      await until(
        `document.querySelector('[data-id="worker-1-life-1"]').textContent.includes('tenant:acme: unconfirmed')`,
      );
      expect(await fits()).toBe(true);
      await keep('pending');
      await report();
      await store.outcomes.record('worker-1-life-1', [{ seq: 1, kind: 'landed', detail: null }]);
      await until(`${progress}?.startsWith('EFFECTIVE: 2 confirmed')`);
      expect(await shown(`document.querySelectorAll('img').length + document.title`)).toBe(`0${NAMESPACE} · killdrill`);
      await keep('effective');
      await release('seen');
      await until(`document.querySelector('[data-id=seen]') === null`);
    });

    it('says when a stop was last proven to reach every worker, light and dark, on a phone', async () => {
      await report([], 1);
      const proven = `document.getElementById('proven')`;
      await until(`/^last proven able to halt \\d+ s ago$/.test(${proven}.textContent)`);
      expect(await shown(`${proven}.className`)).toBe('good');
      for (const scheme of ['light', 'dark'] as const) {
        await tab.show({ media: 'screen', scheme, width: 375 });
        expect(await fits()).toBe(true);
        await keep(`proven-${scheme}`);
      }
    });

    it('previews a stop, offers a narrower one, and stops nothing by that', async () => {
      await fill({ scope: 'global', key: '' });
      await tab.evaluate(`document.getElementById('preview-button').click()`);
      await until(`document.getElementById('preview').textContent.includes('2 queued tasks')`);
      expect(await fits()).toBe(true);
      await keep('preview');
      await tab.evaluate(
        `[...document.querySelectorAll('#preview button')].find((one) => one.textContent.startsWith('tenant acme')).click()`,
      );
      expect(await shown(`document.getElementById('stop').elements.target.value`)).toBe('acme');
      expect(await shown(`document.getElementById('stop').elements.scope.value`)).toBe('tenant');
      expect((await rig.get('/switches')).json['engagements']).toEqual([]);
      await fill({ scope: 'tenant', target: '' });
      await tab.evaluate(`document.getElementById('preview-button').click()`);
      await until(`document.getElementById('preview').textContent.includes('query.target')`);
    });
  },
);
