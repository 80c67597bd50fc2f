import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextDue } from '../../../src/tasks/schedule.ts';

const AT = '2026-03-01T10:02:03.500Z';

describe('the next time of what repeats', () => {
  it.each([
    ['every 60000', '2026-03-01T10:03:03.500Z'],
    ['every 1000', '2026-03-01T10:02:04.500Z'],
    ['*/5 * * * *', '2026-03-01T10:05:00.000Z'],
    ['0 9 * * 1-5', '2026-03-02T09:00:00.000Z'],
    ['0 0 29 2 *', '2028-02-29T00:00:00.000Z'],
    ['30 6 1 * *', '2026-04-01T06:30:00.000Z'],
  ])('%s after ' + AT + ' is %s', (repeat, next) => {
    expect(nextDue(repeat, AT)).toBe(next);
  });

  it('is in UTC and later than what it follows, for any instant', () => {
    const repeats = fc.constantFrom('* * * * *', '*/7 3 * * *', '0 0 1 1 *', 'every 90000');
    fc.assert(
      fc.property(
        repeats,
        fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
        (repeat, date) => {
          const next = nextDue(repeat, date.toISOString());
          expect(Date.parse(next)).toBeGreaterThan(date.getTime());
          if (repeat.startsWith('every')) return;
          expect(next).toMatch(/:00\.000Z$/);
          expect(nextDue(repeat, new Date(Date.parse(next) - 1).toISOString())).toBe(next);
        },
      ),
    );
  });

  it('passes over what was missed, and keeps its step', () => {
    expect(nextDue('every 60000', AT, '2026-03-01T12:00:00Z')).toBe('2026-03-01T12:00:03.500Z');
    expect(nextDue('*/5 * * * *', AT, '2026-03-01T12:01:00Z')).toBe('2026-03-01T12:05:00.000Z');
    expect(nextDue('every 60000', AT, '2025-01-01T00:00:00Z')).toBe('2026-03-01T10:03:03.500Z');
  });

  it.each([
    '',
    ' ',
    'every',
    'every 0',
    'every 999',
    'every -5000',
    'every 5e3',
    'every 1000000000000000',
    'each 60000',
    '* * * *',
    '* * * * * *',
    '*/5  * * * *',
    '61 * * * *',
    'a b c d e',
    '? * * * *',
    '0 0 30 2 *',
    '@daily',
    '2030-01-01T00:00:00',
    '* '.repeat(500),
    '\0 * * * *',
  ])('is refused for %j, with what was expected', (repeat) => {
    expect(() => nextDue(repeat, AT)).toThrow(/every N/);
    expect(() => nextDue(repeat, AT)).toThrow(expect.objectContaining({ code: 'REPEAT_INVALID' }));
  });

  it('is refused after no instant', () => {
    expect(() => nextDue('every 60000', 'noon')).toThrow(/expected an ISO 8601 instant/);
  });

  it('is refused, whatever else comes, by the same error', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), (junk) => {
        try {
          nextDue(junk, AT);
        } catch (error) {
          expect(error).toMatchObject({ code: 'REPEAT_INVALID' });
        }
      }),
    );
  });
});
