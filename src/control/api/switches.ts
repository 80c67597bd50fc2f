import type { Head } from '../../store/store.ts';
import type { Engagement } from '../../switch.ts';
import type { ControlApiParts } from './parts.ts';

/** An open engagement as this process enforces it. */
export type EnforcedEngagement = Engagement & {
  /** Null while the store has not said where it stands. */
  readonly revision: number | null;
};

/** What this process enforces. */
export interface Switches {
  readonly head: Head | null;
  /** Whether the store has answered within a lease: only then is it known that there is nothing more. */
  readonly verified: boolean;
  readonly engagements: readonly EnforcedEngagement[];
}

export function switchesOf({ registry, lease }: Pick<ControlApiParts, 'registry' | 'lease'>): Switches {
  const engagements = registry
    .openEngagements()
    .map((engagement) => ({ ...engagement, revision: registry.revisionOf(engagement.id) }));
  return { head: registry.head, verified: registry.head !== null && lease.held(), engagements };
}
