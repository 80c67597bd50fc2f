import type { Actor } from './actor.ts';
import { CapabilityPatterns } from './capability-patterns.ts';
import { KilldrillError } from './errors.ts';

/** What a switch can be about, widest first. A `run` switch binds the run's descendants too. */
export const SCOPES = ['global', 'tenant', 'feature', 'capability', 'agent', 'run'] as const;
export type Scope = (typeof SCOPES)[number];

/** How hard a stop is, mildest first. */
export const STOP_MODES = ['halt_noncritical', 'halt_all', 'emergency'] as const;
export type StopMode = (typeof STOP_MODES)[number];
export type Mode = 'disengaged' | StopMode;

/** What becomes of queued work in scope of a stop (DESIGN §3.11). */
export const QUEUE_POLICIES = ['discard', 'park', 'drain'] as const;
export type QueuePolicy = (typeof QUEUE_POLICIES)[number];

/** The only target of a global switch. */
export const GLOBAL_TARGET = '*';

export interface Switch {
  readonly scope: Scope;
  /** Name within the scope; `*` for global. A capability target may end in `/*` and then matches all below. */
  readonly target: string;
}

interface FlipBase extends Switch {
  readonly namespace: string;
  /** Unique for ever. A stop's id is also the id of the engagement that it opens. */
  readonly id: string;
  readonly reason: string;
  readonly triggeredBy: string;
  readonly source: string;
  /** ISO 8601 instant at which it was taken, by the taker's clock; informative only. */
  readonly at: string;
}

/** Opens one engagement, whose id is the flip's. */
export interface StopFlip extends FlipBase {
  readonly kind: 'stop';
  readonly mode: StopMode;
  readonly queue: QueuePolicy;
  /** With `drain`: how long admitted tasks pass, milliseconds. Required with it, absent otherwise. */
  readonly drainMs?: number;
}

/** Closes the engagements that it names. */
export interface ReleaseFlip extends FlipBase {
  readonly kind: 'release';
  readonly engagements: readonly string[];
}

export type Flip = StopFlip | ReleaseFlip;

/** One open reason to stop a switch. */
export type Engagement = Omit<StopFlip, 'kind' | 'namespace'>;

/** What a decision is about: who wants to do what. */
export interface Subject extends Actor {
  /** Runs that this one descends from, oldest first; empty for a root run. */
  readonly lineage: readonly string[];
  /** A path such as `write/mail`; null when the question is about the run as a whole (enqueue, claim). */
  readonly capability: string | null;
  /** The revision under which its task was let in; absent or null for work that no queue has admitted. A drain passes what is older than itself. */
  readonly admittedRevision?: number | null;
  /** Its task is of a class that the operator declared critical: the store's word, never the caller's. */
  readonly critical?: boolean;
}

/** Capabilities that the operator declared critical; patterns as in a capability switch. */
export type CriticalCapabilities = readonly string[];

export type Decision = { readonly kind: 'pass' } | { readonly kind: 'halt'; readonly engagement: Engagement };

const PASS: Decision = { kind: 'pass' };
const SEVERITY: Readonly<Record<StopMode, number>> = { halt_noncritical: 1, halt_all: 2, emergency: 3 };

/** Whether a capability pattern (`write/mail`, `write/*`) covers a capability. `write/*` does not cover `write` itself. */
export function capabilityMatches(pattern: string, capability: string): boolean {
  return pattern.endsWith('/*') ? capability.startsWith(pattern.slice(0, -1)) : pattern === capability;
}

/** Whether a switch covers a subject: the single definition of "in scope". */
export function switchMatches(on: Switch, subject: Subject): boolean {
  switch (on.scope) {
    case 'global':
      return true;
    case 'tenant':
      return on.target === subject.tenant;
    case 'feature':
      return on.target === subject.feature;
    case 'agent':
      return on.target === subject.agent;
    case 'capability':
      return subject.capability !== null && capabilityMatches(on.target, subject.capability);
    case 'run':
      return on.target === subject.run || subject.lineage.includes(on.target);
    default:
      throw unknownScope(on.scope);
  }
}

function unknownScope(scope: never): KilldrillError {
  return new KilldrillError('UNKNOWN_SCOPE', `scope '${String(scope)}' is none of ${SCOPES.join(', ')}`);
}

/** What is open on one switch: nearly always one engagement, so that a map is made for the second only. */
type Opened = Engagement | Map<string, Engagement>;

/**
 * Open engagements, found by switch, so that a decision costs a few map probes however many are open (`npm run bench checks`).
 */
export class Engagements {
  /** By scope, then by target: scopes that nobody has stopped cost a decision next to nothing. */
  readonly #bySwitch: Readonly<Record<Scope, Map<string, Opened>>> = {
    global: new Map(),
    tenant: new Map(),
    feature: new Map(),
    capability: new Map(),
    agent: new Map(),
    run: new Map(),
  };
  readonly #byId = new Map<string, Engagement>();
  /** Few of many: whoever looks for drains after each change must not look through all that is open. */
  readonly #draining = new Map<string, number>();
  readonly #patterns = new CapabilityPatterns();
  /** Open on a capability's pattern. */
  #patternCount = 0;

  get size(): number {
    return this.#byId.size;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  get(id: string): Engagement | undefined {
    return this.#byId.get(id);
  }

  values(): IterableIterator<Engagement> {
    return this.#byId.values();
  }

  /** Those with a drain, by id, and how long it lasts, milliseconds. */
  draining(): IterableIterator<readonly [id: string, drainMs: number]> {
    return this.#draining.entries();
  }

  /** Adds one engagement; an id that is already there is left as it is. */
  open(engagement: Engagement): void {
    const { id, scope, drainMs } = engagement;
    if (this.#byId.has(id)) return;
    this.#byId.set(id, engagement);
    if (drainMs !== undefined) this.#draining.set(id, drainMs);
    if (isPattern(engagement)) this.#patternCount += 1;
    const targets = this.#bySwitch[scope];
    const target = targetOf(engagement);
    const there = targets.get(target);
    if (there === undefined) targets.set(target, engagement);
    else if (there instanceof Map) there.set(id, engagement);
    else targets.set(target, new Map([there, engagement].map((one) => [one.id, one])));
  }

  /** Removes one engagement; returns whether it was there. */
  close(id: string): boolean {
    const engagement = this.#byId.get(id);
    if (engagement === undefined) return false;
    this.#byId.delete(id);
    this.#draining.delete(id);
    if (isPattern(engagement)) this.#patternCount -= 1;
    const targets = this.#bySwitch[engagement.scope];
    const target = targetOf(engagement);
    const there = targets.get(target);
    if (!(there instanceof Map)) targets.delete(target);
    else if (there.delete(id) && there.size === 0) targets.delete(target);
    return true;
  }

  /** Calls `visit` for each engagement whose switch covers the subject. */
  visitMatching(subject: Subject, visit: (engagement: Engagement) => void): void {
    if (this.#byId.size === 0) return;
    const { global, tenant, feature, capability, agent, run } = this.#bySwitch;
    if (global.size > 0) visitAt(global, GLOBAL_TARGET, visit);
    if (tenant.size > 0 && subject.tenant !== null) visitAt(tenant, subject.tenant, visit);
    if (feature.size > 0 && subject.feature !== null) visitAt(feature, subject.feature, visit);
    if (agent.size > 0) visitAt(agent, subject.agent, visit);
    if (run.size > 0) {
      visitAt(run, subject.run, visit);
      for (const ancestor of subject.lineage) if (ancestor !== subject.run) visitAt(run, ancestor, visit);
    }
    if (capability.size > 0 && subject.capability !== null) {
      visitAt(capability, subject.capability, visit);
      if (this.#patternCount === 0) return;
      for (const pattern of this.#patterns.above(subject.capability)) visitAt(capability, pattern, visit);
    }
  }
}

function visitAt(targets: ReadonlyMap<string, Opened>, target: string, visit: (engagement: Engagement) => void): void {
  const there = targets.get(target);
  if (there === undefined) return;
  if (!(there instanceof Map)) visit(there);
  else for (const engagement of there.values()) visit(engagement);
}

function isPattern({ scope, target }: Switch): boolean {
  return scope === 'capability' && target.endsWith('/*');
}

function targetOf({ scope, target }: Switch): string {
  return scope === 'global' ? GLOBAL_TARGET : target;
}

/** What besides switches and modes a decision rests on. */
export interface Grounds {
  readonly critical: CriticalCapabilities;
  /**
   * Drains that are known to go on: the engagement's id and the revision at which it was opened. A drain that is not in
   * here passes nothing: it is over, or the store has not said yet where it stands.
   */
  readonly drains: ReadonlyMap<string, number>;
}

const NO_GROUNDS: Grounds = { critical: [], drains: new Map() };

/** What an engagement does to queued work: in mode `halt_noncritical` it always parks, whatever its queue says. */
export function queuePolicyOf({ mode, queue }: Pick<StopFlip, 'mode' | 'queue'>): QueuePolicy {
  return mode === 'halt_noncritical' ? 'park' : queue;
}

/** Whether an engagement in this mode stops the subject, given what the operator declared critical. */
export function modeStops(mode: StopMode, subject: Subject, critical: CriticalCapabilities): boolean {
  if (mode !== 'halt_noncritical') return true;
  if (subject.critical === true) return false;
  const { capability } = subject;
  return capability === null || !critical.some((pattern) => capabilityMatches(pattern, capability));
}

/**
 * Whether one open engagement stops a subject that its switch covers. Two things pass: what is critical passes
 * `halt_noncritical`, and what was let in before a drain began passes that drain until it is over.
 */
export function engagementStops(engagement: Engagement, subject: Subject, grounds: Grounds = NO_GROUNDS): boolean {
  if (!modeStops(engagement.mode, subject, grounds.critical)) return false;
  if (queuePolicyOf(engagement) !== 'drain') return true;
  const openedRevision = grounds.drains.get(engagement.id);
  const admittedRevision = subject.admittedRevision ?? null;
  return openedRevision === undefined || admittedRevision === null || admittedRevision >= openedRevision;
}

/**
 * The decision: of all open engagements whose switch matches and that do not let the subject pass, the one in the highest
 * mode; a narrow switch in a lower mode never weakens a wider stop. Among equals the wider scope is the one named and, on
 * one switch, the one opened earlier.
 */
export function decide(open: Engagements, subject: Subject, grounds: Grounds = NO_GROUNDS): Decision {
  let worst: Engagement | null = null;
  open.visitMatching(subject, (engagement) => {
    if (!engagementStops(engagement, subject, grounds)) return;
    if (worst === null || outranks(engagement, worst)) worst = engagement;
  });
  return worst === null ? PASS : { kind: 'halt', engagement: worst };
}

/** The strictest of some modes; `disengaged` for none. */
export function strictest(modes: readonly StopMode[]): Mode {
  return modes.reduce<Mode>(
    (worst, mode) => (worst === 'disengaged' || SEVERITY[mode] > SEVERITY[worst] ? mode : worst),
    'disengaged',
  );
}

function outranks(one: Engagement, other: Engagement): boolean {
  const bySeverity = SEVERITY[one.mode] - SEVERITY[other.mode];
  if (bySeverity !== 0) return bySeverity > 0;
  return SCOPES.indexOf(one.scope) < SCOPES.indexOf(other.scope);
}
