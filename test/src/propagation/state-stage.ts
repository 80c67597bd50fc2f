import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { KillSwitch } from '../../../src/killswitch.ts';
import type { KillSwitchOptions } from '../../../src/killswitch.ts';
import { StateFileFeed } from '../../../src/propagation/file.ts';
import type { StateFileOptions } from '../../../src/propagation/file.ts';
import { hmacSeal } from '../../../src/propagation/state-seal.ts';
import { Registry } from '../../../src/registry.ts';
import type { StopFlip, Subject } from '../../../src/switch.ts';

export const KEY = 'a key that only tests have';
export const NAMESPACE = 'files';
/** What the file's switches are shown as while nothing is stopped. */
export const RUNNING = '"global:*": "disengaged"';

export function stateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'killdrill-state-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function openSwitch(path: string, options: Partial<KillSwitchOptions> = {}): KillSwitch {
  return new KillSwitch({ path, namespace: NAMESPACE, hmacKey: KEY, ...options });
}

export interface Follower {
  readonly feed: StateFileFeed;
  readonly registry: Registry;
}

/** A process's picture of a state file, without a store; it looks when told to. */
export function follow(path: string, options: Partial<StateFileOptions> = {}, clock = systemClock): Follower {
  const registry = new Registry(NAMESPACE);
  const file = { path, seal: hmacSeal(KEY), ...options };
  const feed = new StateFileFeed(file, { registry, clock, namespace: NAMESPACE, endedBy: 'file' });
  return { feed, registry };
}

export function stopOf(id: string, more: Partial<StopFlip> = {}): StopFlip {
  const common = {
    namespace: NAMESPACE,
    id,
    scope: 'global',
    target: '*',
    reason: 'a test',
    triggeredBy: 'a test',
  } as const;
  return { ...common, kind: 'stop', mode: 'halt_all', queue: 'discard', source: 'a test', at: '2026-01-01', ...more };
}

export const SOMEBODY: Subject = {
  ...{ tenant: null, feature: null, agent: 'a1', run: 'r1', lineage: [], capability: 'write/mail' },
};

/** Waits until the file system's clock has moved on: what is changed twice within one of its ticks looks unchanged. */
export function nextTick(folder: string): void {
  const probe = join(folder, 'probe');
  const change = (): bigint => {
    writeFileSync(probe, 'x');
    return statSync(probe, { bigint: true }).ctimeNs;
  };
  const before = change();
  while (change() === before);
  rmSync(probe);
}
