import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { openTab } from './chromium-tab.ts';
import type { Tab } from './chromium-tab.ts';

/** Hands the tests of a block a tab as narrow as a phone that shows the page, and closes it afterwards. */
export function phoneTab(browser: string | null, urlOf: () => string, take: (tab: Tab) => void): void {
  let profile: string;
  let tab: Tab;
  beforeAll(async () => {
    profile = mkdtempSync(join(tmpdir(), 'killdrill-chromium-'));
    tab = await openTab(browser ?? '', profile, { width: 375, height: 812 });
    await tab.go(urlOf());
    take(tab);
  });
  afterAll(async () => {
    await tab.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });
}
