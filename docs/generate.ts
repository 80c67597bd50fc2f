import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { complaintsAbout, KILL_MATRIX } from './kill-matrix.ts';
import { PAGES } from './pages.ts';
import { remakeSample, SAMPLE } from './sample-report.ts';
import { stalePages } from './stale-pages.ts';

// `npm run docs` writes the generated pages; with --check (part of `npm run check`) it only says which are out of date,
// the kill matrix among them, which no text can be made for without a run.
const root = fileURLToPath(new URL('../', import.meta.url));
const sample = [...(await remakeSample(join(root, SAMPLE)))].map(([name, bytes]) => ({
  path: `${SAMPLE}/${name}`,
  bytes,
}));
const stale = stalePages(PAGES, readPage);
const staleSample = sample.filter(({ path, bytes }) => !bytes.equals(readBytes(path)));

if (process.argv.includes('--check')) {
  const complaints = [
    ...[...stale, ...staleSample.map(({ path }) => path)].map(
      (path) => `${path} is out of date: run \`npm run docs\` and commit it`,
    ),
    ...complaintsAbout(readPage(KILL_MATRIX)),
  ];
  for (const complaint of complaints) console.error(complaint);
  process.exitCode = complaints.length === 0 ? 0 : 1;
} else {
  for (const path of stale) writePage(path, PAGES[path]?.() ?? '');
  for (const { path, bytes } of staleSample) writePage(path, bytes);
}

function readPage(path: string): string | null {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return null; // not written yet
  }
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(join(root, path));
  } catch {
    return Buffer.alloc(0); // not written yet
  }
}

function writePage(path: string, text: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  console.error(`wrote ${path}`);
}
