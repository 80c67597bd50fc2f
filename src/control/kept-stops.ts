import type { Clock } from '../clock.ts';
import { KilldrillError, messageOf } from '../errors.ts';
import type { Spool } from '../store/spool.ts';
import type { StopOffer } from '../store/stop-port.ts';
import { within } from '../within.ts';
import type { StopPath } from './stop-taker-parts.ts';

interface KeptParts {
  readonly spool: Spool | null;
  readonly paths: readonly StopPath[];
  readonly clock: Clock;
  readonly pathMs: number;
  readonly onError: (error: Error) => void;
}

/** What is done for one stop while the store has not answered: it goes to disk, and over every other path. Each once. */
export class KeptStop {
  readonly #stop: StopOffer & { readonly id: string };
  readonly #parts: KeptParts;
  #keeping: Promise<string | null> | null = null;
  #pushing: Promise<readonly string[]> | null = null;

  constructor(stop: StopOffer & { readonly id: string }, parts: KeptParts, keptAt: string | null = null) {
    this.#stop = stop;
    this.#parts = parts;
    if (keptAt !== null) this.#keeping = Promise.resolve(keptAt);
  }

  /** Where it is on disk; null when that failed, or took too long. Never rejects. */
  keep(): Promise<string | null> {
    this.#keeping ??= this.#write();
    const { clock, pathMs } = this.#parts;
    return within(clock, pathMs, this.#keeping, () => late('the spool', pathMs)).catch((thrown: unknown) =>
      this.#tell(thrown),
    );
  }

  /** Names of the paths that took it. Never rejects. */
  push(): Promise<readonly string[]> {
    this.#pushing ??= Promise.all(this.#parts.paths.map((path) => this.#pushOver(path))).then((names) =>
      names.filter((name) => name !== null),
    );
    return this.#pushing;
  }

  /** The store has it: no file is left behind, also of a write that is still under way. */
  async drop(): Promise<void> {
    if (this.#keeping === null) return;
    await this.#keeping;
    await this.#parts.spool?.drop(this.#stop.id);
  }

  /** The store will never take it: what is on disk stays there, under another name. */
  async setAside(): Promise<void> {
    if (this.#keeping === null) return;
    await this.#keeping;
    await this.#parts.spool?.setAside(this.#stop.id);
  }

  async #write(): Promise<string | null> {
    try {
      return (await this.#parts.spool?.keep(this.#stop)) ?? null;
    } catch (thrown) {
      this.#keeping = null; // a disk that was full may have room later
      return this.#tell(thrown);
    }
  }

  async #pushOver(path: StopPath): Promise<string | null> {
    const { clock, pathMs } = this.#parts;
    try {
      await within(clock, pathMs, path.push(this.#stop), () => late(`path '${path.name}'`, pathMs));
      return path.name;
    } catch (thrown) {
      return this.#tell(thrown);
    }
  }

  #tell(thrown: unknown): null {
    this.#parts.onError(thrown instanceof Error ? thrown : new Error(messageOf(thrown)));
    return null;
  }
}

function late(what: string, ms: number): KilldrillError {
  return new KilldrillError('PATH_LATE', `${what} did not take the stop within ${ms} ms`);
}
