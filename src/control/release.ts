import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { isProven } from '../flip-signature.ts';
import type { FlipKeys } from '../flip-signature.ts';
import { KilldrillError, messageOf } from '../errors.ts';
import { canonicalText } from '../flip-text.ts';
import type { FlipAnswer, FlipOptions, FlipStore, OpenEngagement } from '../store/store.ts';
import { GLOBAL_TARGET } from '../switch.ts';
import type { ReleaseFlip, Switch } from '../switch.ts';

/** Something that has to be in order before agents may go on, such as a detector's metric. */
export interface ReleaseCheck {
  readonly name: string;
  /** Why it is red, or null. One that throws, or is late, is red. */
  check(signal: AbortSignal): Promise<string | null>;
}

/** What has to be green before these switches are released. */
export type ChecksOf = (releasing: readonly Switch[]) => readonly ReleaseCheck[];

export interface ReleaseParts {
  readonly store: FlipStore;
  /** Makes the flip's id, which is unique for ever. */
  readonly newId: () => string;
  /** All that has to be green; or, of the switches that are to be released, what has to be for these. */
  readonly checks?: readonly ReleaseCheck[] | ChecksOf;
  /** How long each check may take, milliseconds. Default 2,000. */
  readonly checkMs?: number;
  readonly clock?: Clock;
  /** Signs the flip's text as somebody who may release; null, the default, for an unsigned one, which agents that know keys do not believe. */
  readonly sign?: ((text: string) => string) | null;
  /** What agents know; a release that these do not prove is refused, since nobody would let go. Null, the default: not looked at. */
  readonly keys?: FlipKeys | null;
}

export interface ReleaseRequest {
  readonly namespace: string;
  /** Ids of the engagements that the operator saw. */
  readonly engagements: readonly string[];
  readonly by: string;
  readonly source: string;
  readonly reason: string;
  /** Why it is released although it is red; goes on record. */
  readonly evenIfRed?: string;
  /** It may name what is closed already by a release that nobody had signed, so that agents let go of it. */
  readonly again?: boolean;
}

export interface Released {
  readonly answer: FlipAnswer;
  /** What was closed, as it was open. */
  readonly closed: readonly OpenEngagement[];
  /** Checks that were red and passed over; empty without `evenIfRed`. The store judges the run contract by itself. */
  readonly red: readonly string[];
}

const CHECK_MS = 2_000;

/** The open engagements on exactly this switch: the client expands a switch, never the store. */
export function engagementsOn(open: readonly OpenEngagement[], on: Switch): readonly OpenEngagement[] {
  return open.filter(({ flip }) => flip.scope === on.scope && flip.target === on.target);
}

/**
 * Closes the engagements that it names, all or none, once every check is green.
 *
 * @throws KilldrillError `RELEASE_NOT_GREEN` naming what is red; `RELEASE_NOT_PROVEN` when agents would not believe it;
 * `ENGAGEMENT_NOT_OPEN` naming each id that is unknown or closed; otherwise as `FlipStore.flip`.
 */
export async function release(parts: ReleaseParts, request: ReleaseRequest): Promise<Released> {
  const ids = [...new Set(request.engagements)];
  const open = await parts.store.openEngagements();
  const closed = open.filter(({ flip }) => ids.includes(flip.id));
  const red = await redChecks(parts, checksFor(parts, closed));
  if (red.length > 0 && !hasWords(request.evenIfRed)) {
    throw new KilldrillError(
      'RELEASE_NOT_GREEN',
      `the release is red: ${red.join('; ')}; mend that, or release even if red, with a reason`,
    );
  }
  const text = canonicalText(flipOf(parts, request, ids, commonSwitch(closed.map(({ flip }) => flip))));
  const signature = parts.sign?.(text) ?? null;
  refuseUnproven(parts, text, signature);
  const options: FlipOptions = {
    ...(hasWords(request.evenIfRed) ? { evenIfRed: request.evenIfRed } : {}),
    ...(request.again === true ? { again: true } : {}),
  };
  return { answer: await parts.store.flip(text, signature, options), closed, red };
}

function hasWords(reason: string | undefined): reason is string {
  return reason !== undefined && reason.trim() !== '';
}

function flipOf(
  { newId, clock = systemClock }: ReleaseParts,
  { namespace, by, source, reason }: ReleaseRequest,
  engagements: readonly string[],
  on: Switch,
): ReleaseFlip {
  const at = new Date(clock.wallMs()).toISOString();
  return { namespace, id: newId(), kind: 'release', ...on, engagements, reason, triggeredBy: by, source, at };
}

/** The switch that all of them are on; of several, or of none that is open (which the store refuses, on record), the widest. */
function commonSwitch(switches: readonly Switch[]): Switch {
  const [first, ...others] = switches;
  if (first !== undefined && others.every(({ scope, target }) => scope === first.scope && target === first.target)) {
    return { scope: first.scope, target: first.target };
  }
  return { scope: 'global', target: GLOBAL_TARGET };
}

/** It would close what is on record, and stop agents for good all the same: they wait for one that is proven. */
function refuseUnproven({ keys = null }: ReleaseParts, text: string, signature: string | null): void {
  if (keys === null || isProven(keys, 'release', text, signature)) return;
  const found = signature === null ? 'it is not signed' : 'its key is not one that may release';
  throw new KilldrillError(
    'RELEASE_NOT_PROVEN',
    `agents would not believe the release: ${found}; expected a signing key (--key, KILLDRILL_SIGNING_KEY_FILE) that KILLDRILL_PUBLIC_KEY names as stop+release`,
  );
}

function checksFor({ checks = [] }: ReleaseParts, closing: readonly OpenEngagement[]): readonly ReleaseCheck[] {
  if (typeof checks !== 'function') return checks;
  const switches = new Map(closing.map(({ flip }) => [`${flip.scope}:${flip.target}`, flip]));
  return checks([...switches.values()].map(({ scope, target }) => ({ scope, target })));
}

async function redChecks(parts: ReleaseParts, checks: readonly ReleaseCheck[]): Promise<readonly string[]> {
  const answers = await Promise.all(checks.map((check) => judge(check, parts)));
  // One check of each switch of a release may have nothing to say but what all of them say.
  return [...new Set(answers.filter((answer) => answer !== null))];
}

/** Never rejects, and never takes longer than the bound. */
async function judge(
  check: ReleaseCheck,
  { checkMs = CHECK_MS, clock = systemClock }: ReleaseParts,
): Promise<string | null> {
  const controller = new AbortController();
  let cancel = (): void => undefined;
  const late = new Promise<string>((resolve) => {
    cancel = clock.after(checkMs, () => resolve(`did not answer within ${checkMs} ms`));
  });
  const asked = Promise.resolve().then(() => check.check(controller.signal));
  const reason = await Promise.race([asked.catch((thrown: unknown) => `failed: ${messageOf(thrown)}`), late]);
  cancel();
  controller.abort();
  return reason === null ? null : `${check.name} ${reason}`;
}
