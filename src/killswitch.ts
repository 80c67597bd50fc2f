import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { haltedByOperator, haltedUnverified } from './decider.ts';
import { KilldrillError, messageOf } from './errors.ts';
import { canonicalText } from './flip-text.ts';
import { StateFileFeed } from './propagation/file.ts';
import { haltByFile } from './propagation/halt-by-file.ts';
import { NO_SEAL, hmacSeal } from './propagation/state-seal.ts';
import type { StateSeal } from './propagation/state-seal.ts';
import { StateWriter } from './propagation/state-writer.ts';
import { Registry } from './registry.ts';
import { GLOBAL_TARGET, capabilityMatches, strictest, switchMatches } from './switch.ts';
import type { Engagement, Mode, StopFlip, StopMode, Subject, Switch } from './switch.ts';

export interface KillSwitchOptions {
  /** The state file, on a local disk. */
  readonly path: string;
  /** Key of the file's HMAC, at least 16 bytes, the same for all processes on this file. */
  readonly hmacKey?: string | Uint8Array;
  /** Default true: without a key there is no switch. With false, whoever can write to the folder can also release. */
  readonly requireHmac?: boolean;
  /** Instead of an HMAC, for example `ed25519Seal`: then processes that only check hold no key that can write. */
  readonly seal?: StateSeal;
  /** Default `default`. */
  readonly namespace?: string;
  /** What goes on under `halt_noncritical`; `mail/*` covers all below. */
  readonly criticalTasks?: readonly string[];
  /** Who this process is; a switch of a narrower scope than global stops it only if it is one of these. */
  readonly tenant?: string;
  readonly feature?: string;
  /** Default `agent`. */
  readonly agent?: string;
  readonly clock?: Clock;
  /** Makes ids and names that are unique for ever. */
  readonly newId?: () => string;
}

export interface KillSwitchStatus {
  readonly mode: Mode | 'unverified';
  readonly engaged: boolean;
  /** Whether the file can be trusted; while it cannot, everything is refused. */
  readonly verified: boolean;
  /** Why it cannot. */
  readonly why: string | null;
  /** All open stops, those that do not hit this process included. */
  readonly engagements: readonly Engagement[];
}

/** How a stop was taken. */
export interface Engaged {
  readonly id: string;
  /** The file that holds it until the state file does, and until it is released. */
  readonly keptAt: string;
  /** Why the state file itself was not written; null when it was. The stop is in force either way. */
  readonly notWritten: string | null;
}

/**
 * A kill switch in one file, for a script of ten lines and many processes: no server, no background work. The file is looked
 * at each time that it is asked for, so that an answer is never older than the question.
 */
export class KillSwitch {
  readonly #registry: Registry;
  readonly #feed: StateFileFeed;
  readonly #writer: StateWriter;
  readonly #options: KillSwitchOptions;
  readonly #namespace: string;
  readonly #clock: Clock;
  readonly #newId: () => string;

  /** @throws KilldrillError `HMAC_KEY_MISSING`, `HMAC_KEY_SHORT` */
  constructor(options: KillSwitchOptions) {
    const { path, namespace = 'default', clock = systemClock, newId = randomUUID } = options;
    const seal = sealOf(options);
    const host = hostname();
    this.#options = options;
    this.#namespace = namespace;
    this.#clock = clock;
    this.#newId = newId;
    this.#registry = new Registry(namespace);
    const file = { path, seal, host, keepsHandStops: seal.make !== null };
    this.#feed = new StateFileFeed(file, { registry: this.#registry, clock, namespace, endedBy: 'file' });
    this.#writer = new StateWriter({ path, namespace, seal, clock, host, newToken: newId });
  }

  /**
   * Makes the file, with nothing stopped in it: once, by an operator. Never at each start, which would forget the stops of a
   * file that somebody has removed.
   *
   * @throws KilldrillError `STATE_FILE_EXISTS`
   */
  create(): void {
    this.#writer.create();
  }

  /** The strictest stop that hits this process; `unverified` when none does and the file cannot be trusted. */
  get mode(): Mode | 'unverified' {
    this.#feed.look();
    const modes = this.#registry
      .openEngagements()
      .flatMap((one) => (switchMatches(one, this.#subject(null)) ? [one] : []));
    const mode = strictest(modes.map((one) => one.mode));
    return mode === 'disengaged' && !this.#feed.verified() ? 'unverified' : mode;
  }

  /** Whether this process should stop. True also while the file cannot be trusted: this switch fails closed. */
  get engaged(): boolean {
    return this.mode !== 'disengaged';
  }

  getStatus(): KillSwitchStatus {
    const { mode } = this;
    const refusal = this.#feed.refusal;
    const engagements = this.#registry.openEngagements();
    const verified = refusal === null;
    return { mode, engaged: mode !== 'disengaged', verified, why: refusal?.why ?? null, engagements };
  }

  /**
   * Refuses, if a task may not go on. Call it before each effect.
   *
   * @param task its name, for `criticalTasks` and for switches of a capability
   * @throws HaltedError
   */
  check(task?: string): void {
    this.#feed.look();
    const subject = this.#subject(task ?? null);
    const decision = this.#registry.decide(subject);
    if (decision.kind === 'halt')
      throw haltedByOperator(subject.agent, { engagement: decision.engagement, revision: null });
    const refusal = this.#feed.refusal;
    if (refusal !== null) throw haltedUnverified(subject.agent, refusal.why);
  }

  /**
   * Stops: on disk, and in force for all who ask, by the time that it resolves. No other writer can hold it up, and a state
   * file that is gone or damaged is written anew with this stop in it.
   *
   * @throws KilldrillError `HALT_FILE_UNWRITTEN`; this process is stopped all the same.
   */
  async engage(
    reason: string,
    { mode = 'halt_all', by = 'operator', on = GLOBAL }: { mode?: StopMode; by?: string; on?: Switch } = {},
  ): Promise<Engaged> {
    const id = this.#newId();
    const { scope, target } = on;
    const at = new Date(this.#clock.wallMs()).toISOString();
    const common = { namespace: this.#namespace, id, scope, target, reason, triggeredBy: by, source: 'KillSwitch', at };
    const stop: StopFlip = { ...common, kind: 'stop', mode, queue: 'discard' };
    const text = canonicalText(stop);
    this.#registry.arrive({ text, signature: null, place: null });
    const { keptAt } = await haltByFile(this.#options.path, stop);
    try {
      await this.#writer.write({}, 'restore');
      return { id, keptAt, notWritten: null };
    } catch (error) {
      return { id, keptAt, notWritten: messageOf(error) };
    }
  }

  /**
   * Releases stops by their ids: those that `getStatus` shows at this moment, unless others are named. A stop that comes
   * meanwhile stays. Ids may be named that another process shows and this one does not: it may hold what a file that was
   * removed since had said.
   *
   * @returns the ids that were open here, and are not any more.
   * @throws KilldrillError `STATE_FILE_DAMAGED`, `STATE_FILE_BUSY`, `STATE_SEAL_MISSING`
   */
  async disengage(
    reason: string,
    { engagements, by = 'operator' }: { engagements?: readonly string[]; by?: string } = {},
  ): Promise<readonly string[]> {
    const open = new Set(this.getStatus().engagements.map(({ id }) => id));
    const named = engagements ?? [...open];
    const at = new Date(this.#clock.wallMs()).toISOString();
    const ended = named.map((id) => ({ id, by, reason, at }));
    if (ended.length > 0) await this.#writer.write({ ended }, 'refuse');
    this.#feed.look();
    return named.filter((id) => open.has(id));
  }

  #subject(task: string | null): Subject {
    const { tenant = null, feature = null, agent = 'agent', criticalTasks = [] } = this.#options;
    const critical = task !== null && criticalTasks.some((pattern) => capabilityMatches(pattern, task));
    return { tenant, feature, agent, run: agent, lineage: [], capability: task, critical };
  }
}

const GLOBAL: Switch = { scope: 'global', target: GLOBAL_TARGET };

function sealOf({ hmacKey, seal, requireHmac = true }: KillSwitchOptions): StateSeal {
  if (seal !== undefined) return seal;
  if (hmacKey !== undefined) return hmacSeal(hmacKey);
  if (!requireHmac) return NO_SEAL;
  throw new KilldrillError(
    'HMAC_KEY_MISSING',
    "the kill switch has no key; give hmacKey (for example from 'openssl rand -hex 32'), or requireHmac: false if whoever can write to the folder may also release",
  );
}
