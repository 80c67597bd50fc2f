import { acceptsAForgedRelease } from './accepts-a-forged-release.ts';
import { acknowledgedStopGoneAfterOutage } from './acknowledged-stop-gone-after-outage.ts';
import { agentLiftsItsOwnHalt } from './agent-lifts-its-own-halt.ts';
import { acknowledgesBeforeStopping } from './acknowledges-before-stopping.ts';
import { autoCommitsTheOffset } from './auto-commits-the-offset.ts';
import { callerDeclaredCritical } from './caller-declared-critical.ts';
import { checkedAtTaskStartOnly } from './checked-at-task-start-only.ts';
import { countsFreshnessFromAYoungStore } from './counts-freshness-from-a-young-store.ts';
import { countsFencedAsStopped } from './counts-fenced-as-stopped.ts';
import { decidesWhenQueued } from './decides-when-queued.ts';
import { drainsInsteadOfDiscards } from './drains-instead-of-discards.ts';
import { failsWhatIsStopped } from './fails-what-is-stopped.ts';
import { failsOpenOnATornFile } from './fails-open-on-a-torn-file.ts';
import { failsOpenOnStoreLoss } from './fails-open-on-store-loss.ts';
import { flagCachedAtBoot } from './flag-cached-at-boot.ts';
import { flipsOffTheRecord } from './flips-off-the-record.ts';
import { forgetsOnRestart } from './forgets-on-restart.ts';
import { ignoresAbortSignal } from './ignores-abort-signal.ts';
import { ignoresTenantScope } from './ignores-tenant-scope.ts';
import { keepsWhatItHolds } from './keeps-what-it-holds.ts';
import { losesALandedRow } from './loses-a-landed-row.ts';
import { marksAbortedAsNotLanded } from './marks-aborted-as-not-landed.ts';
import type { Mutant } from './mutant.ts';
import { narrowUnshadowsWide } from './narrow-unshadows-wide.ts';
import { neverSubscribes } from './never-subscribes.ts';
import { orphanRow } from './orphan-row.ts';
import { otherNamespace } from './other-namespace.ts';
import { reParksAfterRelease } from './re-parks-after-release.ts';
import { refusalsBurnRetries } from './refusals-burn-retries.ts';
import { releasesWithoutGreen } from './releases-without-green.ts';
import { renewsLeaseOnReceipt } from './renews-lease-on-receipt.ts';
import { replaysWhatLanded } from './replays-what-landed.ts';
import { resumesWithoutAsking } from './resumes-without-asking.ts';
import { retryFiresLater } from './retry-fires-later.ts';
import { singleHighWaterMark } from './single-high-water-mark.ts';
import { skipsTheFence } from './skips-the-fence.ts';
import { spawnsPastTheGate } from './spawns-past-the-gate.ts';
import { stallsOnPoison } from './stalls-on-poison.ts';
import { staysUnverified } from './stays-unverified.ts';
import { sticksAfterRelease } from './sticks-after-release.ts';
import { stopsEverything } from './stops-everything.ts';
import { timerFiresLater } from './timer-fires-later.ts';
import { tripsOnStale } from './trips-on-stale.ts';
import { unverifiedDiscardsTheQueue } from './unverified-discards-the-queue.ts';
import { wallClockLease } from './wall-clock-lease.ts';
import { watchdogRespawnsAStoppedRun } from './watchdog-respawns-a-stopped-run.ts';

/** Every mutant that the simulated fleet can be. */
export const MUTANTS: readonly Mutant[] = [
  flagCachedAtBoot,
  neverSubscribes,
  ignoresTenantScope,
  ignoresAbortSignal,
  stopsEverything,
  skipsTheFence,
  failsOpenOnStoreLoss,
  failsOpenOnATornFile,
  drainsInsteadOfDiscards,
  retryFiresLater,
  timerFiresLater,
  spawnsPastTheGate,
  watchdogRespawnsAStoppedRun,
  reParksAfterRelease,
  refusalsBurnRetries,
  losesALandedRow,
  forgetsOnRestart,
  resumesWithoutAsking,
  replaysWhatLanded,
  releasesWithoutGreen,
  flipsOffTheRecord,
  checkedAtTaskStartOnly,
  narrowUnshadowsWide,
  singleHighWaterMark,
  decidesWhenQueued,
  marksAbortedAsNotLanded,
  callerDeclaredCritical,
  unverifiedDiscardsTheQueue,
  orphanRow,
  sticksAfterRelease,
  staysUnverified,
  failsWhatIsStopped,
  renewsLeaseOnReceipt,
  countsFreshnessFromAYoungStore,
  wallClockLease,
  acknowledgedStopGoneAfterOutage,
  autoCommitsTheOffset,
  stallsOnPoison,
  tripsOnStale,
  keepsWhatItHolds,
  acceptsAForgedRelease,
  agentLiftsItsOwnHalt,
  acknowledgesBeforeStopping,
  countsFencedAsStopped,
  otherNamespace,
];
