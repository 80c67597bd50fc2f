import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { planDrill } from '../../../harness/traffic/plan-drill.ts';
import { readTrace, writeTrace } from '../../../harness/traffic/trace-file.ts';
import { traceText } from '../../../harness/traffic/trace-text.ts';
import { scenarioText } from '../scenario/scenario-text.ts';

const folder = mkdtempSync(join(tmpdir(), 'killdrill-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'trace.jsonl.gz');
const { trace } = planDrill(parseScenario(scenarioText(), 'x.yaml', []));
const lines = traceText(trace).split('\n');

test('a trace that is written reads back as the equal trace, and is written to the same bytes', async () => {
  await writeTrace(path, trace);
  const read = await readTrace(path);
  expect(read).toEqual(trace);
  expect(traceText(read)).toBe(traceText(trace));
  const bytes = readFileSync(path);
  await writeTrace(path, read);
  expect(readFileSync(path).equals(bytes)).toBe(true);
});

describe('a trace file that is wrong is refused with the reason', () => {
  const whole = gzipSync(traceText(trace));
  const changed = (line: number, text: string): Buffer => gzipSync(lines.with(line - 1, text).join('\n'));
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['cut short', whole.subarray(0, whole.length / 2), /cut short/],
    ['cut by one byte', whole.subarray(0, -1), /cut short/],
    ['no gzip', Buffer.from('hello'), /no whole gzip/],
    ['an empty file', Buffer.alloc(0), /trace\.jsonl\.gz/],
    ['an empty text', gzipSync(''), /:1: found an empty file/],
    ['a line without an end', gzipSync(traceText(trace).slice(0, -1)), /cut short/],
    ['a missing run', gzipSync(lines.toSpliced(4, 1).join('\n')), /:1: found \d+ runs, expected the \d+/],
    ['no JSON', changed(5, '{oops'), /:5: found no JSON: \{oops/],
    [
      'an unknown version',
      changed(1, '{"version":0,"seed":1,"generator":{}}'),
      /:1: version: found 0, expected 1 or 2; .*run the drill again/,
    ],
    ['a later version', changed(1, '{"version":3,"pages":7}'), /:1: version: found 3, expected 1 or 2/],
    ['a version that is none', changed(1, '{"version":"2","seed":1,"generator":{}}'), /:1: version/],
    ['an unknown key', changed(3, '{"due":1}'), /:3: /],
    ['a run twice', changed(3, lines[1] ?? ''), /:3: found run '[^']+' once more/],
    ['out of order', gzipSync([lines[0], ...lines.slice(1, -1).toReversed(), ''].join('\n')), /:\d+: found dueMs/],
  ];
  test.each(cases)('%s', async (_, bytes, message) => {
    writeFileSync(path, bytes);
    await expect(readTrace(path)).rejects.toThrow(
      expect.objectContaining({ code: 'TRACE_UNREADABLE', message: expect.stringMatching(message) }),
    );
  });

  test('missing', async () => {
    await expect(readTrace(join(folder, 'none'))).rejects.toThrow(/no such file/);
  });
});
