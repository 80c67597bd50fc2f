import { describe, expect, test } from 'vitest';
import { readExternalSettings } from '../../../harness/environment/external-settings.ts';

const URL = 'postgres://admin:p%40ss@127.0.0.1:5433';

describe('the servers of external', () => {
  test('are read from the variables of drills', () => {
    expect(
      readExternalSettings({
        KILLDRILL_DRILL_DATABASE_URL: URL,
        KILLDRILL_DRILL_KAFKA_BROKERS: 'localhost:9092, 127.0.0.1:9093',
      }),
    ).toEqual({
      host: '127.0.0.1',
      port: 5433,
      superuser: { user: 'admin', password: 'p@ss' },
      brokers: ['localhost:9092', '127.0.0.1:9093'],
    });
  });

  test('have PostgreSQL as their bus when no broker is named', () => {
    expect(readExternalSettings({ KILLDRILL_DRILL_DATABASE_URL: 'postgresql://a@localhost' })).toMatchObject({
      host: 'localhost',
      port: 5432,
      brokers: [],
    });
  });

  test("are never a fleet's own", () => {
    const fleets = { KILLDRILL_DATABASE_URL: URL, KILLDRILL_KAFKA_BROKERS: '127.0.0.1:9092', DATABASE_URL: URL };
    expect(() => readExternalSettings(fleets)).toThrow('KILLDRILL_DRILL_DATABASE_URL is not set');
  });

  test.each([
    ['the database', { KILLDRILL_DRILL_DATABASE_URL: 'postgres://db.example:5432' }],
    [
      'a broker',
      { KILLDRILL_DRILL_DATABASE_URL: URL, KILLDRILL_DRILL_KAFKA_BROKERS: 'localhost:9092,db.example:9092' },
    ],
  ])('are on this machine, unless the host of %s is allowed by name', (_, variables) => {
    expect(() => readExternalSettings(variables)).toThrow(
      expect.objectContaining({ code: 'EXTERNAL_HOST', message: expect.stringContaining('the host db.example') }),
    );
    const others = { ...variables, KILLDRILL_DRILL_ALLOWED_HOSTS: 'other.example' };
    expect(() => readExternalSettings(others)).toThrow(expect.objectContaining({ code: 'EXTERNAL_HOST' }));
    const allowed = { ...variables, KILLDRILL_DRILL_ALLOWED_HOSTS: 'other.example, db.example' };
    expect(() => readExternalSettings(allowed)).not.toThrow();
  });

  test.each([
    ['', 'is not set'],
    ['127.0.0.1:5432', 'is no URL'],
    ['no url: secret', 'is no URL'],
    ['mysql://a:secret@localhost', 'begins with mysql:'],
    ['postgres:///db?host=/tmp', 'names no host'],
    ['postgres://a:secret@localhost?sslmode=require', 'without TLS'],
  ])('are refused when the URL is %j, without its password', (url, found) => {
    const read = () => readExternalSettings({ KILLDRILL_DRILL_DATABASE_URL: url });
    expect(read).toThrow(
      expect.objectContaining({ code: 'EXTERNAL_SETTINGS', message: expect.stringMatching(/expected postgres:\/\//) }),
    );
    expect(read).toThrow(found);
    expect(read).not.toThrow('secret');
  });
});
