import type { Checker, Finding } from './checker.ts';
import { missingWork, noStop } from './exposure.ts';
import { fail, inconclusive, pass } from './finding.ts';
import { firstWorst } from './first-worst.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { intentsBeforeStop, refusedIntents } from './intents-of.ts';
import type { RefusedIntent } from './intents-of.ts';
import { journalWasRead } from './witness-of.ts';

/** The fence let nothing in that the decision refuses. No clock has a say in it. */
export const noIntentAfterStop: Checker = {
  name: 'no_intent_after_stop',
  claim: "No intent is admitted, by the store's own order, after flips under which the decision refuses it.",
  needs: 'journal',
  check(record) {
    const index = indexOf(record);
    const refused = refusedIntents(index);
    const [first] = refused;
    if (first !== undefined) return refusal(index, first, refused.length);
    const nothing = noStop(index);
    if (nothing !== null) return nothing;
    if (!journalWasRead(index)) return inconclusive('the journal read at the end', "the record has no store's head");
    return firstWorst(index.stops.map((stop) => checkStop(index, stop)));
  },
};

function refusal(index: DrillIndex, { intent, engagement }: RefusedIntent, count: number): Finding {
  const what = `intent ${intent.intent} (${intent.capability} of run ${intent.run})`;
  const revision = index.storeFlips.find(({ text }) => text.includes(JSON.stringify(engagement.id)))?.revision ?? null;
  const where = `was admitted after revision ${intent.afterRevision}, under the stop of ${nameOf(engagement)}`;
  return fail(`${what} ${where}`, {
    intent: intent.intent,
    incarnation: intent.incarnation,
    run: intent.run,
    tenant: index.runs.get(intent.run)?.tenant ?? intent.tenant,
    capability: intent.capability,
    key: intent.key,
    afterRevision: intent.afterRevision,
    revision,
    scope: nameOf(engagement),
    engagement: engagement.id,
    intentsAfterStop: count,
  });
}

function checkStop(index: DrillIndex, stop: Stop): Finding {
  const evidence = { flip: stop.flip, revision: stop.revision, scope: nameOf(stop.on) };
  if (!index.storeFlips.some(({ revision }) => revision === stop.revision)) {
    return inconclusive('the stop on record in the store', `the store has no flip ${stop.revision}`, evidence);
  }
  const before = intentsBeforeStop(index, stop);
  if (before === 0) {
    return inconclusive(
      'intents in scope before the stop',
      `the journal has none in scope of ${evidence.scope}`,
      evidence,
    );
  }
  const missing = missingWork(index, stop);
  if (missing !== null) return missing;
  return pass(`${before} intents in scope of ${evidence.scope} come before its stop, none after it`, {
    ...evidence,
    intentsBefore: before,
    intentsAfterStop: 0,
  });
}
