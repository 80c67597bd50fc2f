import { randomUUID } from 'node:crypto';
import { canonicalText } from '../../../src/flip-text.ts';
import type { ReleaseFlip, StopFlip } from '../../../src/switch.ts';
import type { Asker, Intent, NewTask, RunContract } from '../../../src/store/store.ts';

/** A stop's text; global `halt_all` with `discard` unless told otherwise. */
export function stopText(namespace: string, stop: Partial<StopFlip> = {}): string {
  return canonicalText({
    ...{ namespace, id: randomUUID(), kind: 'stop', scope: 'global', target: '*', mode: 'halt_all', queue: 'discard' },
    ...{
      reason: 'it writes what nobody asked for',
      triggeredBy: 'operator',
      source: 'test',
      at: '2026-01-01T00:00:00Z',
    },
    ...stop,
  });
}

export function releaseText(
  namespace: string,
  engagements: readonly string[],
  release: Partial<ReleaseFlip> = {},
): string {
  return canonicalText({
    ...{ namespace, id: randomUUID(), kind: 'release', scope: 'global', target: '*', engagements },
    ...{ reason: 'rolled back', triggeredBy: 'operator', source: 'test', at: '2026-01-01T00:01:00Z' },
    ...release,
  });
}

export function sampleIntent(seq: number, intent: Partial<Intent> = {}): Intent {
  return {
    ...{ seq, run: 'run-1', tenant: 'acme', feature: null, agent: 'agent-1', lineage: [], capability: 'write/mail' },
    ...{ access: 'write', idempotencyKey: `key-${seq}`, deadlineMs: 250, claim: null },
    ...intent,
  };
}

export function sampleTask(id: string, task: Partial<NewTask> = {}): NewTask {
  return {
    ...{
      id,
      kind: 'run',
      run: id,
      tenant: 'acme',
      feature: 'support',
      agent: 'agent-1',
      lineage: [],
      capability: null,
      plan: [{ capability: 'model/chat' }],
      due: { kind: 'now' },
      pastDue: 'fire',
      repeat: null,
    },
    ...task,
  };
}

/** Who asks for what is not a flip. */
export const SOMEBODY: Asker = { by: 'operator', reason: 'the incident is over' };

export function sampleContract(contract: Partial<RunContract> = {}): RunContract {
  return { ...{ model: 'model-1', prompt: 'prompt-1', tools: { mail: '1.0.0', crm: '2.1.0' } }, ...contract };
}
