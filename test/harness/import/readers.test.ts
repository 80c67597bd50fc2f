import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CsvReader } from '../../../harness/import/csv.ts';
import { JsonLinesReader } from '../../../harness/import/json-lines.ts';
import { OtlpReader } from '../../../harness/import/otlp.ts';
import type { RowReader } from '../../../harness/import/row.ts';
import { madeUpIncident } from './made-up-incident.ts';

const csv = (): CsvReader => new CsvReader({ file: 'f.csv', delimiter: ',', needs: ['a', 'b'] });

/** What a reader makes of a text that comes in pieces of this size: these columns of each row, behind its line. */
function read(reader: RowReader, text: string, columns: readonly string[], size = text.length): readonly unknown[] {
  const rows = [];
  for (let at = 0; at < text.length; at += size) rows.push(...reader.feed(text.slice(at, at + size)));
  rows.push(...reader.end());
  return rows.map((row) => [row.line, ...columns.map((name) => row.value(name))]);
}

describe('a CSV file', () => {
  const field = fc.stringMatching(/^[ab",;\r\n é]{0,6}$/).filter((text) => !/^\r|\r$/.test(text));
  const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

  test('reads as it was written, whatever is in its fields and in however many pieces it comes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field), { minLength: 1 }), fc.integer({ min: 1, max: 40 }), (rows, size) => {
        const text = ['a,b', ...rows.map((row) => row.map(quoted).join(','))].map((line) => `${line}\r\n`).join('');
        const found = read(csv(), text, ['a', 'b'], size).map((row) => (row as readonly unknown[]).slice(1));
        expect(found).toEqual(rows.map((row) => row.map((one) => (one === '' ? undefined : one))));
      }),
    );
  });

  test.each([
    ['a,c\n1,2\n', /^f\.csv:1: found the columns a, c, expected 'b' among them/],
    ['tenant,b\n', /f\.csv:1: found the columns tenant, b, expected 'a'/],
    ['a,b,b\n', /f\.csv:1: found the column 'b' once more/],
    ['a,b\n1,2\n3\n', /^f\.csv:3: found 1 fields, expected 2/],
    ['a,b\n"1\n\n",2\n1,2,3\n', /^f\.csv:5: found 3 fields/],
    ['a,b\n1,"2\n3,4\n', /^f\.csv:2: found a quote without its other one up to the end: the file was cut short/],
    ['a,b\n1"1,2"\n', /^f\.csv:2: found a quote within a field/],
    ['a,b\n"1"1,2\n', /^f\.csv:2: found '1,2' behind a closing quote/],
    ['', /^f\.csv:1: found an empty file/],
    [`a,b\n${'x'.repeat(1_100_000)}`, /^f\.csv:2: found a row of more than 1048576 characters/],
  ])('that is wrong is refused by its line: %#', (text, message) => {
    expect(() => read(csv(), text, ['a'])).toThrow(message);
  });

  test('whose last line has no end is doubted, since it may have been cut', () => {
    const reader = csv();
    expect(read(reader, 'a,b\n1,2', ['a', 'b'])).toEqual([[2, '1', '2']]);
    expect(reader.doubts).toEqual([expect.stringMatching(/^f\.csv:2: the last line has no end/)]);
  });
});

test('JSON Lines read by name, also within', () => {
  const text = '{"a":{"b":1},"c":"x"}\n\n{"a.b":true,"c":null}\n';
  expect(read(new JsonLinesReader('f'), text, ['a.b', 'c'], 5)).toEqual([
    [1, '1', 'x'],
    [3, 'true', undefined],
  ]);
  expect(() => read(new JsonLinesReader('f'), '{"a":1}\n{"a":', ['a'])).toThrow(/^f:2: found no JSON: .*cut short/);
  expect(() => read(new JsonLinesReader('f'), '[1]\n', ['a'])).toThrow(/^f:1: found \[1\], expected an object/);
});

describe('spans', () => {
  const { spans } = madeUpIncident();
  const columns = ['spanId', 'start', 'customer', 'resource.service.name'];
  const some = `${spans.split('\n').slice(0, 40).join('\n').replace(/,$/, '')}]}]}]}\n`;

  test('are cut out of one document, however many pieces it comes in', () => {
    const whole = read(new OtlpReader('f'), some, columns);
    expect(whole).toHaveLength(39);
    expect(whole[1]).toEqual([
      3,
      expect.any(String),
      expect.stringMatching(/^\d{19}$/),
      expect.any(String),
      'checkout-agents',
    ]);
    for (const size of [1, 7, 64, 1_000]) expect(read(new OtlpReader('f'), some, columns, size)).toEqual(whole);
  });

  test('come one document a line as well, each with its own resource', () => {
    const document = (service: string, id: string): string =>
      JSON.stringify({
        resourceSpans: [
          {
            resource: { attributes: [{ key: 'service', value: { stringValue: service } }] },
            scopeSpans: [
              {
                scope: { name: 'spans' },
                spans: [{ traceId: 't', spanId: id, name: 'a "b" {', startTimeUnixNano: '1', endTimeUnixNano: '2' }],
              },
            ],
          },
        ],
      });
    const text = `${document('one', '1')}\n${document('two', '2')}\n`;
    expect(read(new OtlpReader('f'), text, ['spanId', 'resource.service', 'name'], 9)).toEqual([
      [1, '1', 'one', 'a "b" {'],
      [2, '2', 'two', 'a "b" {'],
    ]);
  });

  test.each([
    [(text: string) => text.slice(0, 3_000), /^f:\d+: found the end within an object: the file was cut short/],
    [
      (text: string) => text.replace('"startTimeUnixNano"', '"start"'),
      /^f:2: found a span whose startTimeUnixNano is wrong/,
    ],
    [(text: string) => text.replace(']}]}]}', '}'), /closes nothing/],
    [() => 'hello\n', /^f:2: found no JSON, expected spans/],
  ])('that are wrong are refused by their line: %#', (change, message) => {
    expect(() => read(new OtlpReader('f'), change(some), columns)).toThrow(message);
  });
});
