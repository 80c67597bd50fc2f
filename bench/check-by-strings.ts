import { RegistryDecider } from '../src/decider.ts';
import { canonicalText } from '../src/flip-text.ts';
import { systemClock } from '../src/index.ts';
import { Lease } from '../src/lease.ts';
import { Registry } from '../src/registry.ts';
import { SCOPES, switchMatches } from '../src/switch.ts';
import type { Engagement, Subject } from '../src/switch.ts';

const NARROW = SCOPES.filter((scope) => scope !== 'global');
const SUBJECTS = 1_024;

/** A check of somebody who is known by names only, other names each time, with so many narrow engagements open. */
export function checkByStrings(open: number): () => boolean {
  const { registry, decider } = loaded(open);
  if (registry.openCount !== open) throw new Error(`${registry.openCount} are open, expected ${open}`);
  const names = namesOf();
  let at = 0;
  return () => {
    const [tenant, feature, agent, run, capability] = names[(at += 1) % SUBJECTS] ?? names0;
    return decider.stopFor({ tenant, feature, agent, run, lineage: [], capability }) === null && decider.verified();
  };
}

/** The same question to every open engagement in turn: what the index is for. */
export function checkByLooking(open: number): () => boolean {
  const engagements: readonly Engagement[] = loaded(open).registry.openEngagements();
  const names = namesOf();
  let at = 0;
  return () => {
    const [tenant, feature, agent, run, capability] = names[(at += 1) % SUBJECTS] ?? names0;
    const subject: Subject = { tenant, feature, agent, run, lineage: [], capability };
    return !engagements.some((engagement) => switchMatches(engagement, subject));
  };
}

type Names = readonly [tenant: string, feature: string, agent: string, run: string, capability: string];
const names0: Names = ['acme', 'inbox', 'agent-1', 'run-1', 'write/mail'];

/** Nobody of these is stopped. */
function namesOf(): readonly Names[] {
  return Array.from({ length: SUBJECTS }, (_, at): Names => {
    const capability = `write/mail/box-${at % 40}`;
    return [`acme-${at % 200}`, `inbox-${at % 20}`, `agent-${at % 500}`, `run-${at}`, capability];
  });
}

function loaded(open: number): { readonly registry: Registry; readonly decider: RegistryDecider } {
  const registry = new Registry('bench');
  const lease = new Lease(systemClock, { leaseMs: 3_600_000, storeAgeMs: 0 });
  const head = { epoch: 'e', revision: open, hash: 'h' };
  const records = Array.from({ length: open }, (_, at) => ({
    ...head,
    revision: at + 1,
    signature: null,
    text: textOf(at),
  }));
  registry.load({ head, ageMs: 1e6, open: records, critical: [] });
  lease.renew(lease.asked(), { ageMs: 1e6 });
  return { registry, decider: new RegistryDecider(registry, lease) };
}

/** Every narrow scope in turn; of the capabilities every second is a pattern. */
function textOf(at: number): string {
  const scope = NARROW[at % NARROW.length] ?? 'run';
  const path = `write/target-${at}`;
  const capability = Math.floor(at / NARROW.length) % 2 === 0 ? path : `${path}/*`;
  return canonicalText({
    ...{
      kind: 'stop',
      namespace: 'bench',
      id: `stop-${at}`,
      scope,
      target: scope === 'capability' ? capability : path,
    },
    ...{ mode: 'halt_all', queue: 'discard', reason: 'bench', triggeredBy: 'bench', source: 'bench' },
    at: '2026-01-01T00:00:00Z',
  });
}
