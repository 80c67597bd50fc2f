import type { Checker } from './checker.ts';
import { alertsNotLost } from './alerts-not-lost.ts';
import { authorityEnforced } from './authority-enforced.ts';
import { blastRadiusContained } from './blast-radius-contained.ts';
import { eachPathAloneSuffices } from './each-path-alone-suffices.ts';
import { failsClosed } from './fails-closed.ts';
import { forgedOrReplayedRefused } from './forged-or-replayed-refused.ts';
import { haltSurvivesRestart } from './halt-survives-restart.ts';
import { flipsOnRecord } from './flips-on-record.ts';
import { inFlightCancelled } from './in-flight-cancelled.ts';
import { journalMatchesWitness } from './journal-matches-witness.ts';
import { ledgerComplete } from './ledger-complete.ts';
import { modesHonoured } from './modes-honoured.ts';
import { noEffectAfterStop } from './no-effect-after-stop.ts';
import { noIntentAfterStop } from './no-intent-after-stop.ts';
import { noNewChildren } from './no-new-children.ts';
import { noSpuriousHalt } from './no-spurious-halt.ts';
import { queueHonoursPolicy } from './queue-honours-policy.ts';
import { releaseNeedsGreen } from './release-needs-green.ts';
import { releaseTakesEffect } from './release-takes-effect.ts';
import { resumeCompletesExactlyOnce } from './resume-completes-exactly-once.ts';
import { resumeRespectsHalt } from './resume-respects-halt.ts';
import { stopWasEffective } from './stop-was-effective.ts';
import { staleAlertIgnored } from './stale-alert-ignored.ts';
import { timersAndRetriesCancelled } from './timers-and-retries-cancelled.ts';

/** Every property that killdrill can decide, in the order in which they are reported. */
export const CHECKERS: readonly Checker[] = [
  noEffectAfterStop,
  noIntentAfterStop,
  inFlightCancelled,
  queueHonoursPolicy,
  timersAndRetriesCancelled,
  noNewChildren,
  blastRadiusContained,
  modesHonoured,
  haltSurvivesRestart,
  failsClosed,
  noSpuriousHalt,
  resumeRespectsHalt,
  resumeCompletesExactlyOnce,
  releaseNeedsGreen,
  releaseTakesEffect,
  journalMatchesWitness,
  ledgerComplete,
  alertsNotLost,
  staleAlertIgnored,
  forgedOrReplayedRefused,
  authorityEnforced,
  eachPathAloneSuffices,
  flipsOnRecord,
  stopWasEffective,
];

/** The names that `expect.properties` of a scenario may select. */
export const PROPERTY_NAMES: readonly string[] = CHECKERS.map(({ name }) => name);
