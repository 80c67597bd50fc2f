import { decide, Engagements } from '../../src/index.ts';
import type { ActiveStop, Runtime, Subject } from '../../src/index.ts';
import type { Mutant } from './mutant.ts';
import { withOtherStops } from './shadow-decider.ts';

export const drainsInsteadOfDiscards: Mutant = {
  name: 'drains-instead-of-discards',
  bug: 'lets what was admitted before a discarding stop run to its end, as if the stop drained: queued runs are claimed and done',
  removes: ['queue', 'decision'],
  property: 'queue_honours_policy',
  scenario: 'tenant',
  // What a discard dooms passes instead: at a claim, and in the sweep.
  sql: `
    alter function ruling(text, text[], text, bigint, boolean, timestamptz) rename to ruling_unmodified;
    create function ruling(p_namespace text, p_keys text[], p_halted_by text, p_stamp bigint, p_critical boolean, p_now timestamptz)
    returns table (doomed boolean, halted boolean) language sql stable as $$
      select false, r.halted and not r.doomed
      from ruling_unmodified(p_namespace, p_keys, p_halted_by, p_stamp, p_critical, p_now) as r
    $$;`,
  bend({ runtime, differs }) {
    return { decider: (genuine) => withOtherStops(genuine, (subject) => stopFor(runtime(), subject), differs) };
  },
};

function stopFor({ registry }: Runtime, subject: Subject): ActiveStop | null {
  const stopping = new Engagements();
  for (const engagement of registry.openEngagements()) {
    const opened = registry.revisionOf(engagement.id);
    const admitted = subject.admittedRevision ?? null;
    const isPassed = engagement.queue === 'discard' && opened !== null && admitted !== null && admitted < opened;
    if (!isPassed) stopping.open(engagement);
  }
  const decision = decide(stopping, subject);
  if (decision.kind === 'pass') return null;
  return { engagement: decision.engagement, revision: registry.revisionOf(decision.engagement.id) };
}
