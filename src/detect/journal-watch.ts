import type { Clock } from '../clock.ts';
import type { ReleaseCheck } from '../control/release.ts';
import { KilldrillError } from '../errors.ts';
import { pause } from '../pause.ts';
import { reportTo } from '../report-to.ts';
import type { Switch } from '../switch.ts';
import type { JournalPage, JournalPlace, JournalSource } from '../store/journal-port.ts';
import type { AlertPort } from './alert-draft.ts';
import { Detection } from './detection.ts';
import type { RuleCounts } from './rule-watch.ts';
import { RowClock } from './row-clock.ts';
import type { DetectorConfig } from './rule.ts';

export interface JournalWatchParts {
  readonly journal: JournalSource;
  readonly config: DetectorConfig;
  readonly port: AlertPort;
  /** For the pauses between two looks; what is detected goes by the store's clock. */
  readonly clock: Clock;
  /** Pause between two looks at a journal that was read to its end, milliseconds. Default 100. */
  readonly pollMs?: number;
  readonly onError?: (error: Error) => void;
}

/** How the reading stands. */
export interface JournalWatchStatus {
  /** The store answered the last time. */
  readonly isReading: boolean;
  readonly rows: number;
  /** Rows that were not counted: they came much later than they were made, and would have looked like a rush. */
  readonly late: number;
  /** How far the reading is behind the journal's end, milliseconds; 0 once it was read to its end. */
  readonly behindMs: number;
  readonly raised: number;
  readonly undelivered: number;
  /** Series that are red now. */
  readonly red: number;
  /** Looks that the store did not answer, and rows with a name that no switch could have. */
  readonly errors: number;
  /** Since the store last answered a look, milliseconds; null before it ever did. */
  readonly lookedAgoMs: number | null;
  readonly rules: readonly RuleCounts[];
}

const PAGE = 1_000;
const RETRY_MS = 250;
/** How often a release that waits for a look asks whether it is over. */
const FRESH_LOOK_MS = 10;
/** A row is a little older than its commit. What is older than this belongs to a worker that nobody could read meanwhile. */
const LATE_MS = 2_000;

/**
 * Detectors beside the fleet, fed by the store's journal of what the fence let in: an agent has to have an intent there
 * before it may do anything that is journaled, so that nobody has to report what it does, and nobody can leave it out.
 */
export class JournalWatch {
  readonly #parts: JournalWatchParts;
  readonly #rowClock = new RowClock();
  readonly #detection: Detection;
  readonly #over = new AbortController();
  readonly #tell: (error: unknown) => void;
  #places: readonly JournalPlace[] | null = null;
  #loop: Promise<void> | null = null;
  #counts = { isReading: false, rows: 0, late: 0, behindMs: 0, errors: 0 };
  #lookedAtMs: number | null = null;
  /** Looks that have begun, and the last of them that read the journal to its end. */
  #begun = 0;
  #whole = 0;
  #saidAway = false;

  /** @throws KilldrillError `DETECTORS_INVALID` naming each rule that the journal cannot feed. */
  constructor(parts: JournalWatchParts) {
    refuseBlindRules(parts.config);
    this.#parts = parts;
    this.#tell = reportTo(parts.onError);
    this.#detection = new Detection(parts.config, parts.port, this.#rowClock);
  }

  status(): JournalWatchStatus {
    const { raised, undelivered } = this.#detection.counts;
    const lookedAgoMs = this.#lookedAtMs === null ? null : this.#parts.clock.monotonicMs() - this.#lookedAtMs;
    const rules = this.#detection.countsByRule();
    const red = rules.reduce((total, rule) => total + rule.red, 0);
    return { ...this.#counts, raised, undelivered, red, lookedAgoMs, rules };
  }

  /**
   * For a release of this switch: red while a metric is that asks for this very stop, as the journal is now. It waits for a
   * look that begins after it was asked; while the store does not answer, there is none, and nothing is green.
   */
  greenCheck(on: Switch): ReleaseCheck {
    const now = this.#detection.greenCheck(on);
    return {
      name: now.name,
      check: async (signal) => {
        const askedAt = this.#begun;
        while (this.#whole <= askedAt && !signal.aborted) await pause(this.#parts.clock, FRESH_LOOK_MS, signal);
        signal.throwIfAborted();
        return now.check(signal);
      },
    };
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async close(): Promise<void> {
    this.#over.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    const { journal, clock, pollMs = 100 } = this.#parts;
    while (!signal.aborted) {
      try {
        this.#begun += 1;
        const page = await journal.page(this.#places, PAGE);
        this.#take(page);
        if (!page.more) this.#whole = this.#begun;
        if (!page.more) await pause(clock, pollMs, signal);
      } catch (error) {
        this.#away(error);
        await pause(clock, RETRY_MS, signal);
      }
    }
  }

  #take({ rows, places, nowMs, more }: JournalPage): void {
    const last = rows.at(-1)?.atMs ?? nowMs;
    this.#saidAway = false;
    this.#places = places;
    this.#lookedAtMs = this.#parts.clock.monotonicMs();
    for (const row of rows) this.#observe(row);
    if (!more) this.#rowClock.reach(nowMs);
    this.#detection.look();
    const counts = { ...this.#counts, rows: this.#counts.rows + rows.length };
    this.#counts = { ...counts, isReading: true, behindMs: more ? Math.max(0, nowMs - last) : 0 };
  }

  #observe({ atMs, run, tenant, feature, agent, capability, access }: JournalPage['rows'][number]): void {
    if (atMs < this.#rowClock.wallMs() - LATE_MS) {
      this.#counts = { ...this.#counts, late: this.#counts.late + 1 };
      return;
    }
    this.#rowClock.reach(atMs);
    try {
      const actor = { run, tenant, feature, agent };
      this.#detection.observe({ kind: 'effect', ...actor, capability, access, fingerprint: null });
    } catch (error) {
      if (!(error instanceof KilldrillError)) throw error;
      this.#counts = { ...this.#counts, errors: this.#counts.errors + 1 };
      this.#tell(error); // a name that no switch could have: the others are read on
    }
  }

  #away(error: unknown): void {
    this.#counts = { ...this.#counts, isReading: false, errors: this.#counts.errors + 1 };
    if (this.#saidAway) return;
    this.#saidAway = true;
    this.#tell(error);
  }
}

/** The journal holds who did what, when; not with what arguments, at what cost, or how a guardrail read it. */
function refuseBlindRules({ rules }: DetectorConfig): void {
  const blind = rules.filter(({ kind }) => kind !== 'write-rate').map(({ name, kind }) => `'${name}' (${kind})`);
  if (blind.length === 0) return;
  throw new KilldrillError(
    'DETECTORS_INVALID',
    `the journal cannot feed ${blind.join(', ')}: it holds neither arguments nor costs nor readings; give those rules to the agents' own processes, and keep write-rate here`,
  );
}
