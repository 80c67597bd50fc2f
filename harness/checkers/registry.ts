import type { Checker } from './checker.ts';
import { blastRadiusContained } from './blast-radius-contained.ts';
import { failsClosed } from './fails-closed.ts';
import { flipsOnRecord } from './flips-on-record.ts';
import { inFlightCancelled } from './in-flight-cancelled.ts';
import { journalMatchesWitness } from './journal-matches-witness.ts';
import { noEffectAfterStop } from './no-effect-after-stop.ts';
import { noIntentAfterStop } from './no-intent-after-stop.ts';
import { noSpuriousHalt } from './no-spurious-halt.ts';
import { releaseTakesEffect } from './release-takes-effect.ts';

/** Every property that killdrill can decide, in the order in which they are reported. */
export const CHECKERS: readonly Checker[] = [
  noEffectAfterStop,
  noIntentAfterStop,
  inFlightCancelled,
  blastRadiusContained,
  journalMatchesWitness,
  flipsOnRecord,
  releaseTakesEffect,
  failsClosed,
  noSpuriousHalt,
];

/** The names that `expect.properties` of a scenario may select. */
export const PROPERTY_NAMES: readonly string[] = CHECKERS.map(({ name }) => name);
