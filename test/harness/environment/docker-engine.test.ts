import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { connectDocker, drillLabels, harnessMark, isAtWork } from '../../../harness/environment/docker-engine.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('an engine that accepts and says nothing is none, and is not waited for', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  vi.stubEnv('DOCKER_HOST', `tcp://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  try {
    await expect(connectDocker(300)).rejects.toMatchObject({
      code: 'DOCKER_MISSING',
      message: expect.stringContaining('one was reached, and said nothing within 300 ms') as string,
    });
  } finally {
    silent.close();
  }
});

describe('the mark of a harness', () => {
  test('tells whether that very process is still at work', async () => {
    expect(isAtWork(harnessMark(process.pid))).toBe('yes');
    const child = spawn('sleep', ['600']);
    const mark = harnessMark(child.pid ?? 0);
    expect(isAtWork(mark)).toBe('yes');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isAtWork(mark)).toBe('no');
  });

  test('is not that of another process with its pid, nor of another boot', () => {
    const [host = '', boot = '', pid = ''] = harnessMark(process.pid).split('/');
    expect(isAtWork([host, boot, pid, '1'].join('/'))).toBe('no');
    expect(isAtWork([host, 'another', pid, harnessMark(process.pid).split('/')[3]].join('/'))).toBe('no');
  });

  test.each(['', 'elsewhere/boot/1/2', 'nonsense'])('says nothing when it is %j: then nothing is touched', (mark) => {
    expect(isAtWork(mark)).toBe('unknown');
  });

  test('is on everything that a drill makes, with the drill', () => {
    expect(drillLabels('kd-1')).toEqual({
      'killdrill.drill': 'kd-1',
      'killdrill.harness': harnessMark(process.pid),
    });
  });
});
