import { readFileSync } from 'node:fs';
import { availableParallelism, release, totalmem, type as osType } from 'node:os';
import { packageVersion } from '../../src/package-root.ts';
import type { Environment } from '../environment/environment.ts';
import { describeTrace } from '../traffic/describe-trace.ts';
import type { Trace } from '../traffic/trace.ts';

/** `environment.json`: where a drill ran, and on what traffic. */
export function describeMachine({ facts }: Environment, trace: Trace): string {
  const machine = {
    killdrill: packageVersion(),
    node: process.version,
    system: `${osType()} ${release()} ${process.arch}`,
    cores: availableParallelism(),
    memoryMiB: Math.round(totalmem() / 2 ** 20),
  };
  return `${JSON.stringify({ version: 1, environment: facts, machine, traffic: describeTrace(trace) }, null, 2)}\n`;
}

/** Tells one boot of the host from another: monotonic readings compare only within one. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
