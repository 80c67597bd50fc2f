import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../../harness/cli/exit.ts';
import { databaseUrl } from '../../../harness/cli/operator-connection.ts';

describe('a database URL', () => {
  it.each(['garbage', 'localhost:5432/fleet', 'http://localhost/fleet', 'postgres:fleet', 'postgres://a:b@c:port/d'])(
    'is bad usage, and not repeated, when it is none: %s',
    (database) => {
      let thrown: unknown;
      try {
        databaseUrl({ database });
      } catch (error) {
        thrown = error;
      }
      expect(String(thrown)).toMatch(/the database URL cannot be read; expected postgres:\/\/user/);
      expect(String(thrown)).not.toContain(database);
      expect(exitCodeOf(thrown)).toBe(3);
    },
  );

  it.each([
    ...['postgres://user:password@host:5432/fleet', 'postgresql://host/fleet?sslmode=disable', 'Postgres://host/fleet'],
    ...[
      'postgres:///fleet?host=/var/run/postgresql',
      '/var/run/postgresql fleet',
      'socket:/var/run/postgresql?db=fleet',
    ],
  ])('is taken as it is: %s', (database) => {
    expect(databaseUrl({ database })).toBe(database);
  });
});
