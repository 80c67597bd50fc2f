import { isProven } from './flip-signature.ts';
import type { FlipKeys } from './flip-signature.ts';
import { parseFlip } from './flip-text.ts';
import { verifyHead } from './head-signature.ts';
import type { ArrivedStop } from './held-stop.ts';
import type { FlipRecord, RelayAnswer, ReleaseProof, LoadAnswer } from './store/store.ts';
import type { Flip } from './switch.ts';

/** What was not taken for want of proof. */
export interface Refusal {
  /**
   * `stop`: an early stop that nobody who may stop has signed. `release`: a release that nobody who may release has signed.
   * `closing`: a store's word that a stop is closed, without such a release. `foreign`: a flip of another namespace.
   */
  readonly what: 'stop' | 'release' | 'closing' | 'foreign';
  /** Of the flip, or of the stop that was said to be closed. */
  readonly id: string;
}

export interface ProofOptions {
  /** Public keys of those who flip. Null, the default: nothing has to be signed. */
  readonly keys?: FlipKeys | null;
  /** Told of each flip that was not taken for want of proof. */
  readonly onRefused?: (refusal: Refusal) => void;
}

/** How often each was refused. */
export type RefusedCounts = Readonly<Record<Refusal['what'], number>>;

/** What speaks for a stop. */
type Claimed = Pick<ArrivedStop, 'text' | 'signature' | 'authority'>;

/** Source of the stops that executors make; the store may answer that it refused the alert of one. */
const ALERT = 'alert';

/**
 * What a registry asks of a flip before it believes it (docs/decisions/0013). Going on needs proof, stopping needs little:
 * what the store's chain says is stopped is enforced whatever its signature, and nothing but a signed release lifts it.
 * Without keys everything is proof.
 */
export class FlipProof {
  readonly #namespace: string;
  readonly #keys: FlipKeys | null;
  readonly #onRefused: (refusal: Refusal) => void;
  #counts: RefusedCounts = { stop: 0, release: 0, closing: 0, foreign: 0 };

  constructor(namespace: string, { keys = null, onRefused = () => undefined }: ProofOptions) {
    this.#namespace = namespace;
    this.#keys = keys;
    this.#onRefused = onRefused;
  }

  get wanted(): 'none' | 'signed' {
    return this.#keys === null ? 'none' : 'signed';
  }

  get refused(): RefusedCounts {
    return this.#counts;
  }

  /** Whether a stop is proven by itself, or by the path that it came by. */
  holds({ text, signature, authority }: Claimed): boolean {
    return this.#keys === null || authority === 'path' || isProven(this.#keys, 'stop', text, signature);
  }

  /** As `holds`, and counts it where not. */
  admits(id: string, stop: Claimed): boolean {
    if (this.holds(stop)) return true;
    this.refuse('stop', id);
    return false;
  }

  /** Of two texts under one id, whether this one is proven and the other is not: then it is the one that counts. */
  prefers(one: Claimed | undefined, other: Claimed): boolean {
    if (this.#keys === null || one === undefined || one.text === other.text) return false;
    return this.holds(one) && !this.holds(other);
  }

  /** Whether an early stop ends when whoever delivered it takes it back. */
  withdraws({ authority }: Claimed): boolean {
    return this.#keys === null || authority === 'path';
  }

  /** Whether a release lifts what it names. */
  lifts(id: string, { text, signature }: Pick<FlipRecord, 'text' | 'signature'>): boolean {
    if (this.#keys === null || isProven(this.#keys, 'release', text, signature)) return true;
    this.refuse('release', id);
    return false;
  }

  /** Whether a store's answer that this stop is closed is to be believed. */
  closes(id: string, stopText: string, { release, revision }: RelayAnswer): boolean {
    if (this.#keys === null) return true;
    const isBelieved =
      release === undefined || release === null
        ? revision === 0 && parseFlip(stopText).source === ALERT
        : this.#isReleaseOf(id, release);
    if (!isBelieved) this.refuse('closing', id);
    return isBelieved;
  }

  /**
   * Of what a load says was closed, the stops that no signed release has closed: they are enforced. Null when the load does
   * not prove as much as it has to: ask for all releases then.
   */
  disputed(answer: LoadAnswer): readonly FlipRecord[] | null {
    if (this.#keys === null) return [];
    if (answer.released === undefined || !this.#vouchesFor(answer.released, answer)) return null;
    return answer.released.releases.flatMap((release) =>
      release.closed.filter((stop) => {
        const { id } = parseFlip(stop.text);
        const isReleased = this.#isReleaseOf(id, release);
        if (!isReleased) this.refuse('closing', id);
        return !isReleased;
      }),
    );
  }

  /** Counts, and tells of, what was not taken. */
  refuse(what: Refusal['what'], id: string): void {
    this.#counts = { ...this.#counts, [what]: this.#counts[what] + 1 };
    try {
      this.#onRefused({ what, id });
    } catch {
      // A log that fails must not keep a flip from being judged.
    }
  }

  #vouchesFor({ since }: ReleaseProof, { head }: LoadAnswer): boolean {
    if (since === null || this.#keys === null) return true;
    if (since.epoch !== head.epoch || since.revision > head.revision) return false;
    if (since.revision === head.revision && since.hash !== head.hash) return false;
    return verifyHead(this.#keys, this.#namespace, since);
  }

  #isReleaseOf(id: string, { text, signature }: Pick<FlipRecord, 'text' | 'signature'>): boolean {
    if (this.#keys === null) return true;
    const flip = readQuietly(text);
    if (flip?.kind !== 'release' || flip.namespace !== this.#namespace || !flip.engagements.includes(id)) return false;
    return isProven(this.#keys, 'release', text, signature);
  }
}

function readQuietly(text: string): Flip | null {
  try {
    return parseFlip(text);
  } catch {
    return null;
  }
}
