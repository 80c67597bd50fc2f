import { randomUUID } from 'node:crypto';
import { canonicalText, systemClock } from '../../src/index.ts';
import type { Decider, Engagement } from '../../src/index.ts';
import type { Mutant, MutantContext } from './mutant.ts';
import { ownPool } from './own-pool.ts';

/** After so long an agent has had enough, milliseconds: later than every worker's budget. */
const PATIENCE_MS = 2_500;

export const agentLiftsItsOwnHalt: Mutant = {
  name: 'agent-lifts-its-own-halt',
  bug: 'an agent that is stopped releases the stop itself, with a right that it should not have',
  removes: ['roles', 'signatures'],
  property: 'authority_enforced',
  scenario: 'own-halt',
  grants: ['execute on function flip(text, text, text, integer, text)'],
  bend(context) {
    const asked = new Set<string>();
    return { decider: (genuine) => impatient(genuine, context, asked), knowsKeys: false };
  },
};

function impatient(genuine: Decider, context: MutantContext, asked: Set<string>): Decider {
  return {
    get version() {
      return genuine.version;
    },
    verified: () => genuine.verified(),
    stopFor(subject) {
      const stop = genuine.stopFor(subject);
      if (stop !== null && !asked.has(stop.engagement.id)) {
        asked.add(stop.engagement.id);
        systemClock.after(PATIENCE_MS, () => void lift(context, stop.engagement));
      }
      return stop;
    },
  };
}

async function lift(context: MutantContext, { id, scope, target }: Engagement): Promise<void> {
  const { namespace, differs } = context;
  if (
    !context
      .runtime()
      .registry.openEngagements()
      .some((one) => one.id === id)
  )
    return;
  const text = canonicalText({
    ...{ namespace, id: randomUUID(), kind: 'release', scope, target, engagements: [id] },
    ...{ reason: 'there is work to do', triggeredBy: 'an agent', source: 'fleet-sim' },
    at: new Date(context.clock.wallMs()).toISOString(),
  });
  differs({ input: id, unmodified: 'stays stopped', mutated: 'releases it' });
  const pool = ownPool(context);
  try {
    await pool.query('select killdrill.flip($1, $2, null)', [namespace, text]);
  } catch {
    // Another of its kind was faster.
  } finally {
    await pool.end();
  }
}
