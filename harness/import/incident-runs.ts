import { capabilityMatches } from '../../src/switch.ts';
import { SPAWN_CAPABILITY } from '../traffic/trace.ts';
import type { PlanStep, TraceRun } from '../traffic/trace.ts';
import type { Findings } from './finding.ts';
import type { KeptEffect } from './keep-effects.ts';
import { lengthText } from './times.ts';

/** What a run's plan may have; a longer one goes on as another run. */
const MAX_STEPS = 900;
const MAX_CHILDREN = 90;
const MAX_DEPTH = 10;
const LONGEST_CALL_MS = 30_000;
const UNKNOWN_CALL_MS = 100;
const SPAWN_MS = 15;
/** Capabilities that read, when the records do not say. */
const READS = ['model/*', 'read/*', 'tool/*', 'search/*', 'get/*'];

export interface RunOptions {
  /** Between two effects of a run, longer than this: its agent waited for something that is on no record. */
  readonly pauseMs: number;
  /** Capabilities, or patterns, that write; null when the mapping does not say. */
  readonly writes: readonly string[] | null;
  /** Runs that a flip names: they stay whole. */
  readonly named: ReadonlySet<string>;
}

/** The effects as runs with plans, in order of `dueMs`, each parent before its children. */
export function runsOfEffects(
  effects: readonly KeptEffect[],
  options: RunOptions,
  findings: Findings,
): readonly TraceRun[] {
  const builder = new RunBuilder(effects, options);
  const runs = builder.build();
  builder.tell(findings);
  return runs;
}

/** The runs that each run started. */
type Children = ReadonlyMap<string, readonly string[]>;

/** Where a run comes from that another one started. */
interface Descent {
  readonly parent: NonNullable<TraceRun['parent']>;
  readonly lineage: readonly string[];
  readonly dueMs: number;
}

class RunBuilder {
  readonly #options: RunOptions;
  readonly #byRun: ReadonlyMap<string, readonly KeptEffect[]>;
  readonly #usualMs: ReadonlyMap<string, number>;
  readonly #parents = new Map<string, string>();
  readonly #siblings = new Map<string, number>();
  readonly #ids = new Set<string>();
  readonly #told = {
    guessedTime: 0,
    long: 0,
    guessedAccess: 0,
    overlaps: 0,
    moved: 0,
    orphans: 0,
    pauses: 0,
    split: 0,
    cut: 0,
  };
  #pausedMs = 0;

  constructor(effects: readonly KeptEffect[], options: RunOptions) {
    this.#options = options;
    const byRun = new Map<string, KeptEffect[]>();
    for (const effect of effects) {
      const own = byRun.get(effect.run);
      if (own === undefined) byRun.set(effect.run, [effect]);
      else own.push(effect);
    }
    for (const own of byRun.values()) own.sort((one, other) => one.atMs - other.atMs);
    this.#byRun = byRun;
    this.#usualMs = usualTimes(effects);
    for (const run of byRun.keys()) this.#ids.add(run);
  }

  build(): readonly TraceRun[] {
    this.#findParents();
    const children = new Map<string, string[]>();
    for (const [child, parent] of this.#parents) children.set(parent, [...(children.get(parent) ?? []), child]);
    const roots = [...this.#byRun.keys()].filter((run) => !this.#parents.has(run));
    const families = roots.map((run) => {
      const isFamily = children.has(run) || this.#options.named.has(run);
      return isFamily ? this.#family(run, children, null) : this.#pieces(run);
    });
    return families.flat().toSorted((one, other) => one.dueMs - other.dueMs);
  }

  tell(findings: Findings): void {
    const { guessedTime, long, guessedAccess, overlaps, moved, orphans, pauses, split, cut } = this.#told;
    findings.count(
      'assumed',
      guessedTime,
      'effects whose length is not on record take as long as the median of their capability',
    );
    findings.count(
      'assumed',
      guessedAccess,
      'effects of which nobody says whether they read or write: model, read, tool, search and get read, all else writes',
    );
    findings.count(
      'assumed',
      split,
      'further runs go on where a run paused: an agent of the drill takes its steps one after another',
    );
    findings.count('assumed', overlaps, 'effects that overlapped another of their run are sent after it');
    findings.count('left out', long, `effects were longer than ${LONGEST_CALL_MS / 1_000} s and are cut to it`);
    findings.count(
      'left out',
      pauses,
      `pauses within runs that a flip names, or that have children, ${lengthText(this.#pausedMs)} together: such runs stay whole`,
    );
    findings.count('left out', cut, `effects beyond the first ${MAX_STEPS} of a run that has to stay whole`);
    findings.count('corrected', moved, 'runs change their tenant, feature or agent on the way: they keep the first');
    findings.count(
      'not reconstructed',
      orphans,
      'runs were started by a run that is not in the drill, or by each other: they arrive by themselves',
    );
  }

  /** A parent counts when it is on record, began before its child, and no circle comes of it. */
  #findParents(): void {
    for (const [run, effects] of this.#byRun) {
      const parent = effects.find((effect) => effect.parent !== null)?.parent ?? null;
      if (parent === null) continue;
      const began = this.#byRun.get(parent)?.[0]?.atMs ?? Infinity;
      const siblings = this.#siblings.get(parent) ?? 0;
      const isSound = began <= (effects[0]?.atMs ?? 0) && this.#depthOf(parent, run) < MAX_DEPTH;
      if (!isSound || siblings >= MAX_CHILDREN) {
        this.#told.orphans += 1;
        continue;
      }
      this.#parents.set(run, parent);
      this.#siblings.set(parent, siblings + 1);
    }
  }

  /** Infinite when `below` is among the ancestors. */
  #depthOf(run: string, below: string): number {
    let depth = 0;
    for (let at: string | undefined = run; at !== undefined; at = this.#parents.get(at)) {
      if (at === below) return Infinity;
      depth += 1;
    }
    return depth;
  }

  /** A run that paused, in as many pieces. */
  #pieces(run: string): readonly TraceRun[] {
    const pieces: KeptEffect[][] = [[]];
    let freeMs = -Infinity;
    for (const effect of this.#byRun.get(run) ?? []) {
      const last = pieces.at(-1) ?? [];
      const isLater = last.length > 0 && (effect.atMs - freeMs > this.#options.pauseMs || last.length >= MAX_STEPS);
      if (isLater) pieces.push([effect]);
      else last.push(effect);
      freeMs = Math.max(freeMs, effect.atMs + this.#tookMs(effect));
    }
    this.#told.split += pieces.length - 1;
    return pieces.map((own, index) => this.#run(index === 0 ? run : this.#newId(`${run}~${index + 1}`), own, null));
  }

  /** A run and its descendants; each starts where its first effect lies among those of its parent. */
  #family(run: string, children: Children, from: Descent | null): readonly TraceRun[] {
    const effects = this.#byRun.get(run) ?? [];
    this.#notePauses(effects);
    this.#told.cut += Math.max(0, effects.length - MAX_STEPS);
    const parent = from === null ? null : { parent: from.parent, lineage: from.lineage };
    const whole = this.#run(run, effects.slice(0, MAX_STEPS), parent);
    const dueMs = from?.dueMs ?? whole.dueMs;
    const own = children.get(run) ?? [];
    const timed = [
      ...whole.plan.map((step, index) => ({ step, atMs: effects[index]?.atMs ?? 0 })),
      ...own.map((child) => ({ step: spawnOf(child), atMs: this.#byRun.get(child)?.[0]?.atMs ?? 0 })),
    ];
    const plan = timed.toSorted((one, other) => one.atMs - other.atMs).map(({ step }) => step);
    const lineage = [...(from?.lineage ?? []), run];
    const descendants = plan.flatMap(({ child }, step) =>
      child === undefined ? [] : this.#family(child, children, { parent: { run, step }, lineage, dueMs }),
    );
    return [{ ...whole, dueMs, plan }, ...descendants];
  }

  #run(run: string, effects: readonly KeptEffect[], from: Pick<TraceRun, 'parent' | 'lineage'> | null): TraceRun {
    const [first] = effects;
    const who = { tenant: first?.tenant ?? '', feature: first?.feature ?? '', agent: first?.agent ?? '' };
    const isMoved = effects.some(
      ({ tenant, feature, agent }) => tenant !== who.tenant || feature !== who.feature || agent !== who.agent,
    );
    if (isMoved) this.#told.moved += 1;
    let freeMs = -Infinity;
    const plan = effects.map((effect): PlanStep => {
      if (effect.atMs < freeMs) this.#told.overlaps += 1;
      freeMs = Math.max(freeMs, effect.atMs + this.#tookMs(effect));
      return this.#step(effect);
    });
    return { dueMs: Math.round(first?.atMs ?? 0), run, ...who, ...from, plan };
  }

  #step(effect: KeptEffect): PlanStep {
    if (effect.tookMs === null || effect.blocked) this.#told.guessedTime += 1;
    if (effect.tookMs !== null && effect.tookMs > LONGEST_CALL_MS) this.#told.long += 1;
    const serviceMs = this.#tookMs(effect);
    const { capability } = effect;
    return {
      capability,
      access: effect.access ?? this.#accessOf(capability),
      journal: true,
      serviceMs,
      deadlineMs: Math.max(2_000, 4 * serviceMs),
    };
  }

  #tookMs({ tookMs, blocked, capability }: KeptEffect): number {
    const ms = tookMs === null || blocked ? (this.#usualMs.get(capability) ?? UNKNOWN_CALL_MS) : tookMs;
    return Math.min(LONGEST_CALL_MS, Math.max(1, Math.round(ms)));
  }

  #accessOf(capability: string): 'read' | 'write' {
    const { writes } = this.#options;
    if (writes !== null) return writes.some((pattern) => capabilityMatches(pattern, capability)) ? 'write' : 'read';
    this.#told.guessedAccess += 1;
    return READS.some((pattern) => capabilityMatches(pattern, capability)) ? 'read' : 'write';
  }

  #notePauses(effects: readonly KeptEffect[]): void {
    let freeMs = effects[0]?.atMs ?? 0;
    for (const effect of effects) {
      if (effect.atMs - freeMs > this.#options.pauseMs) {
        this.#told.pauses += 1;
        this.#pausedMs += effect.atMs - freeMs;
      }
      freeMs = Math.max(freeMs, effect.atMs + this.#tookMs(effect));
    }
  }

  #newId(wanted: string): string {
    let id = wanted;
    while (this.#ids.has(id)) id = `${id}~`;
    this.#ids.add(id);
    return id;
  }
}

function spawnOf(child: string): PlanStep {
  const call = { capability: SPAWN_CAPABILITY, access: 'write', journal: true } as const;
  return { kind: 'spawn', ...call, serviceMs: SPAWN_MS, deadlineMs: 2_000, child };
}

/** The median length of what each capability's effects took. */
function usualTimes(effects: readonly KeptEffect[]): ReadonlyMap<string, number> {
  const times = new Map<string, number[]>();
  for (const { capability, tookMs, blocked } of effects) {
    if (tookMs === null || blocked) continue;
    const own = times.get(capability);
    if (own === undefined) times.set(capability, [tookMs]);
    else own.push(tookMs);
  }
  return new Map(
    [...times].map(([name, own]) => [name, own.toSorted((a, b) => a - b)[own.length >> 1] ?? UNKNOWN_CALL_MS]),
  );
}
