import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readDetectorsFile } from '../../harness/cli/hosted-detectors.ts';
import { CANARY_OUTCOMES } from '../../src/control/periodic-canary.ts';
import { deedsOf, readPage } from './guide.ts';

const PAGE = 'docs/guides/what-serve-hosts.md';

it('the guide to what serve does besides has rules that can be read, and every outcome of a canary', () => {
  const rules = deedsOf(PAGE).find((deed) => deed.kind === 'file' && deed.name === 'rules.yaml');
  if (rules?.kind !== 'file') throw new Error(`${PAGE} has no rules.yaml`);
  const folder = mkdtempSync(join(tmpdir(), 'killdrill-guide-'));
  try {
    const path = join(folder, rules.name);
    writeFileSync(path, rules.text);
    expect(readDetectorsFile(path)).toMatchObject({ detector: 'journal-watch', rules: [{}, { name: 'mails' }] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const outcome of CANARY_OUTCOMES) expect(readPage(PAGE)).toContain(`| \`${outcome}\``);
});
