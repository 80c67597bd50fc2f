import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shortDrill } from './short-drill.ts';
import { Workshop } from './workshop.ts';

let workshop: Workshop;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.close());

describe('killdrill doctor', () => {
  it('tries an environment for real, says that it works, and leaves nothing', async () => {
    const { code, stdout } = await workshop.run(['doctor', '--environment', 'embedded', '--json', '-q']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      environments: [
        {
          environment: 'embedded',
          works: true,
          readyMs: expect.any(Number),
          facts: expect.objectContaining({ postgres: expect.stringMatching(/^PostgreSQL \d/) }),
          missing: null,
        },
      ],
    });
    expect(workshop.left()).toEqual([]);
  });

  it('says of each environment what is missing and how to mend it, and fails when none works', async () => {
    const without = { KAFKA_HOME: '', KILLDRILL_DRILL_DATABASE_URL: '' };
    const { code, stdout } = await workshop.run(['doctor', '--environment', 'local', 'external', '-q'], without);
    expect(code).toBe(4);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    const said = stdout.replaceAll(/\s+/g, ' ');
    expect(said).toContain('local: does not work here KAFKA_HOME is not set; unpack Apache Kafka');
    expect(said).toContain(
      'external: does not work here KILLDRILL_DRILL_DATABASE_URL is not set; expected postgres://',
    );
    expect(workshop.left()).toEqual([]);
  });

  it('finds nothing to recover where nothing was left', async () => {
    const { code, stdout } = await workshop.run(['doctor', '--recover', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, problems: [] });
  });
});

describe('an environment that nobody named', () => {
  it('is the first that works here: it says which and why first, and the drill is reproduced on that one', async () => {
    const idle = workshop.write('idle.yaml', shortDrill({ name: 'idle', effects: '0/s', hold: '1s', settle: '0s' }));
    const { code, stdout, stderr } = await workshop.run(['run', idle, '--out', 'reports'], { KAFKA_HOME: '' });
    expect(code).toBe(2);
    const [, chosen = 'none'] = /^environment: (containers|embedded) .*; chosen by auto: /.exec(stderr) ?? [];
    const inOneLine = stdout.replaceAll(/[\s\\]+/g, ' ');
    expect(inOneLine).toMatch(new RegExp(`reproduce: killdrill run .* --environment ${chosen} $`));
    expect(workshop.left()).toEqual([]);
  });
});

describe('an environment that cannot be had', () => {
  it('is an error that names what is missing, and nothing is left of the attempt', async () => {
    const { code, stderr } = await workshop.run(['run', 'tenant-halt', '--environment', 'local', '-q'], {
      KAFKA_HOME: '',
    });
    expect(code).toBe(4);
    expect(stderr).toContain('KAFKA_HOME is not set');
    expect(workshop.left()).toEqual([]);
  });
});
