import type { DrillClock } from '../history/clock.ts';
import { DEFAULT_SCHEMA } from '../../src/store/postgres/options.ts';
import type { Session } from '../../src/store/postgres/session.ts';

const RUNNING = `select claim_token || ' ' || claim_deadline as claim from ${DEFAULT_SCHEMA}.task
  where namespace = $1 and state = 'running'`;

/** A claim that nobody has prolonged for so long is held by nobody: its answer was lost, or its worker was killed. */
const STALE_NS = 2_500 * 1e6;

/**
 * Looks for claims that nobody holds any more. The fleet takes such tasks up again by itself once their time is over, if it
 * is still there then: ended before, it would leave them `running`, which is no fault of its.
 */
export class LeftClaims {
  readonly #owner: Session;
  readonly #namespace: string;
  readonly #clock: DrillClock;
  #firstSeenNs: ReadonlyMap<string, number> = new Map();
  readonly #sinceNs: number;

  constructor(owner: Session, namespace: string, clock: DrillClock) {
    this.#owner = owner;
    this.#namespace = namespace;
    this.#clock = clock;
    this.#sinceNs = clock.nowNs();
  }

  /** Whether none is left: nothing runs, or all that runs has had its claim prolonged. A store that is gone has nothing to tell. */
  async none(): Promise<boolean> {
    const nowNs = this.#clock.nowNs();
    try {
      const claims = await this.#owner.use('claims', (ask) => ask(RUNNING, [this.#namespace]));
      this.#firstSeenNs = new Map(
        claims.map(({ claim }) => [String(claim), this.#firstSeenNs.get(String(claim)) ?? nowNs]),
      );
    } catch {
      return true;
    }
    if (this.#firstSeenNs.size === 0) return true;
    const isLong = nowNs - this.#sinceNs > STALE_NS;
    return isLong && [...this.#firstSeenNs.values()].every((seenNs) => nowNs - seenNs <= STALE_NS);
  }
}
