import { callerDeclaredCritical } from './caller-declared-critical.ts';
import { checkedAtTaskStartOnly } from './checked-at-task-start-only.ts';
import { decidesWhenQueued } from './decides-when-queued.ts';
import { failsOpenOnStoreLoss } from './fails-open-on-store-loss.ts';
import { flagCachedAtBoot } from './flag-cached-at-boot.ts';
import { ignoresAbortSignal } from './ignores-abort-signal.ts';
import { ignoresTenantScope } from './ignores-tenant-scope.ts';
import { marksAbortedAsNotLanded } from './marks-aborted-as-not-landed.ts';
import type { Mutant } from './mutant.ts';
import { narrowUnshadowsWide } from './narrow-unshadows-wide.ts';
import { neverSubscribes } from './never-subscribes.ts';
import { orphanRow } from './orphan-row.ts';
import { singleHighWaterMark } from './single-high-water-mark.ts';
import { skipsTheFence } from './skips-the-fence.ts';
import { sticksAfterRelease } from './sticks-after-release.ts';
import { stopsEverything } from './stops-everything.ts';
import { unverifiedDiscardsTheQueue } from './unverified-discards-the-queue.ts';

/** Every mutant that the simulated fleet can be. */
export const MUTANTS: readonly Mutant[] = [
  flagCachedAtBoot,
  neverSubscribes,
  ignoresTenantScope,
  ignoresAbortSignal,
  stopsEverything,
  skipsTheFence,
  failsOpenOnStoreLoss,
  checkedAtTaskStartOnly,
  narrowUnshadowsWide,
  singleHighWaterMark,
  decidesWhenQueued,
  marksAbortedAsNotLanded,
  callerDeclaredCritical,
  unverifiedDiscardsTheQueue,
  orphanRow,
  sticksAfterRelease,
];
