import type { RunContract } from '../../src/store/store.ts';
import { GLOBAL_TARGET } from '../../src/switch.ts';
import type { Complaint } from './complaint.ts';
import type { ReadEntry } from './timeline-schema.ts';

type Release = Extract<ReadEntry, { readonly release: unknown }>['release'];

/**
 * What is wrong with the releases of a timeline: each needs a switch that is stopped, and the drill has to expect what
 * the store will say. Without knowing the contract at the start (`undefined`) the latter is left out.
 */
export function releaseMeaning(
  entries: readonly ReadEntry[],
  contract: RunContract | null | undefined,
): readonly Complaint[] {
  const stops = new Stops(contract);
  return entries.flatMap((entry, index): readonly Complaint[] => {
    if ('contract' in entry) stops.mend(entry.contract);
    if ('flip' in entry) stops.open(nameOf(entry.flip));
    if (!('release' in entry)) return [];
    const complaint = stops.release(nameOf(entry.release), entry.release.expect);
    return complaint === null ? [] : [{ path: ['timeline', index, 'release'], ...complaint }];
  });
}

function nameOf({ scope, target = GLOBAL_TARGET }: Pick<Release, 'scope' | 'target'>): string {
  return `${scope}:${target}`;
}

/** Which switches are stopped, and what ran when each was. */
class Stops {
  /** By switch, the contract at each of its stops. */
  readonly #open = new Map<string, (string | null)[]>();
  readonly #released = new Set<string>();
  readonly #isKnown: boolean;
  #contract: string | null;

  constructor(contract: RunContract | null | undefined) {
    this.#isKnown = contract !== undefined;
    this.#contract = contract === undefined || contract === null ? null : canonical(contract);
  }

  mend(contract: RunContract): void {
    this.#contract = canonical(contract);
  }

  open(name: string): void {
    this.#open.set(name, [...(this.#open.get(name) ?? []), this.#contract]);
  }

  release(name: string, expect: Release['expect']): Omit<Complaint, 'path'> | null {
    const at = this.#open.get(name);
    if (at === undefined) return this.#notStopped(name);
    const isRed = this.#contract !== null && at.includes(this.#contract);
    if (this.#isKnown && isRed !== (expect === 'refused')) return unexpected(name, isRed);
    if (expect === 'taken') {
      this.#open.delete(name);
      this.#released.add(name);
    }
    return null;
  }

  #notStopped(name: string): Omit<Complaint, 'path'> {
    const found = this.#released.has(name)
      ? `a second release of ${name}`
      : `a release of ${name}, which no entry before stops`;
    const stops =
      this.#open.size === 0 ? 'no switch is stopped here' : `stopped here: ${[...this.#open.keys()].join(', ')}`;
    return { found, expected: 'a switch that is stopped', fix: `${stops}; name one of these, or flip it before` };
  }
}

function unexpected(name: string, isRed: boolean): Omit<Complaint, 'path'> {
  if (isRed) {
    return {
      found: `a release of ${name} while the contract is still that of its stop`,
      expected: 'another contract by then, or a release that is expected to be refused',
      fix: 'put a contract entry before it, or write expect: refused',
    };
  }
  return {
    found: `a release of ${name} that is expected to be refused, though it is green`,
    expected: 'a release that is red: the contract is still that of its stop',
    fix: 'declare a contract at the top of the file, or write expect: taken',
  };
}

/** Equal for contracts that say the same, in whatever order. */
function canonical({ model, prompt, tools }: RunContract): string {
  return JSON.stringify([model, prompt, Object.entries(tools).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}
