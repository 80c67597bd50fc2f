import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ledgerToCsv } from '../../../src/control/ledger.ts';
import type { LedgerEntry } from '../../../src/store/store.ts';

function entry(parts: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    ...{ incarnation: 'w1-1', seq: 7, run: 'run-1', tenant: 'acme', feature: null, agent: 'agent-1' },
    ...{ capability: 'write/mail', access: 'write', idempotencyKey: 'run-1/0', outcome: 'landed', afterRevision: 3 },
    ...{ at: '2026-01-01T00:00:00.000000Z', compensation: null },
    ...parts,
  };
}

const HEADER =
  'at,afterRevision,run,tenant,feature,agent,capability,access,outcome,idempotencyKey,incarnation,seq,' +
  'compensation,compensationCapability,compensationOutcome,compensationBy,compensationReason';

/** RFC 4180, written anew here. */
function parse(csv: string): readonly (readonly string[])[] {
  const lines: string[][] = [[]];
  for (const [, quoted, plain = '', end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gu)) {
    lines.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === '\r\n') lines.push([]);
  }
  return lines.slice(0, -1);
}

describe('a ledger as CSV', () => {
  it('has a header, also when it is empty', () => {
    expect(ledgerToCsv([])).toBe(`${HEADER}\r\n`);
  });

  it('has a line an entry, with its compensation', () => {
    const compensation = { id: 'c-1', capability: 'write/refund', by: 'op', reason: 'a, b', outcome: null };
    expect(ledgerToCsv([entry(), entry({ compensation })])).toBe(
      `${HEADER}\r\n` +
        '2026-01-01T00:00:00.000000Z,3,run-1,acme,,agent-1,write/mail,write,landed,run-1/0,w1-1,7,,,,,\r\n' +
        '2026-01-01T00:00:00.000000Z,3,run-1,acme,,agent-1,write/mail,write,landed,run-1/0,w1-1,7,c-1,write/refund,,op,"a, b"\r\n',
    );
  });

  it.each([
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '\n=1',
    ' =1',
    '\u00a0=1',
    '＝1',
    '＋1',
    '－1',
    '＠x',
    '=',
    '\u2028-1',
  ])('makes text of what a spreadsheet would compute: %j', (run) => {
    const [, line] = parse(ledgerToCsv([entry({ run })]));
    expect(line?.[2]).toBe(`'${run}`);
  });

  it.each(['a=1', "'=1", 'x-y', 'a@b', '0', '', 'ü=1'])('leaves what is only text as it is: %j', (run) => {
    const [, line] = parse(ledgerToCsv([entry({ run })]));
    expect(line?.[2]).toBe(run);
  });

  it('reads back as it was, whatever is in the names, and no cell begins a formula', () => {
    const nasty = fc.string({
      unit: fc.constantFrom(...['"', ',', '\r', '\n', '=', '+', '-', '@', "'", ';', '\t', ' ', 'a', '💥']),
    });
    fc.assert(
      fc.property(nasty, fc.option(nasty), nasty, (run, tenant, reason) => {
        const compensation = { id: 'c', capability: 'x', by: 'op', reason, outcome: 'unknown' } as const;
        const lines = parse(ledgerToCsv([entry({ run, tenant, compensation }), entry()]));
        expect(lines).toHaveLength(3);
        const [, line = []] = lines;
        expect(line).toHaveLength(17);
        for (const [found, meant] of [
          [line[2], run],
          [line[3], tenant ?? ''],
          [line[16], reason],
        ] as const) {
          expect([meant, `'${meant}`]).toContain(found);
          expect(found).not.toMatch(/^\s*[=+\-@]/u);
        }
      }),
    );
  });
});
