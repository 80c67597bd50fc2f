import { KilldrillError, messageOf } from '../../src/errors.ts';
import { chainHash } from '../../src/flip-chain.ts';
import { canonicalText } from '../../src/flip-text.ts';
import type { FlipRecord, Head } from '../../src/store/store.ts';
import type { ReleaseFlip, Switch } from '../../src/switch.ts';
import type { DrillClock } from '../history/clock.ts';
import { FORGERIES, FORGERY_PATHS } from '../history/forgery.ts';
import type { Forgery, ForgeryFacts, ForgeryPath } from '../history/forgery.ts';
import type { HistorySink } from '../history/write.ts';
import type { ForgeEntry } from '../scenario/scenario.ts';

type Sign = (text: string) => string;

/** A flip as it is shown to the fleet or the store. */
interface Signed {
  readonly text: string;
  readonly signature: string | null;
}

/** The ways that are open to whoever holds a worker's login. */
export interface ForgersWays {
  /** A notification as the store makes one for a flip. */
  readonly notify: (record: FlipRecord) => Promise<void>;
  readonly relay: (text: string, signature: string | null) => Promise<void>;
  readonly flip: (text: string, signature: string | null) => Promise<void>;
  readonly head: () => Promise<Head>;
}

interface ForgerParts {
  readonly ways: ForgersWays;
  readonly namespace: string;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly newId: () => string;
  readonly wallMs: () => number;
  readonly keys: { readonly operator: Sign; readonly stopper: Sign; readonly stranger: Sign };
  /** Ids of what the operator has open on a switch. */
  readonly openOn: (on: Switch) => readonly string[];
  /** The operator's last release that was taken; null for none. */
  readonly released: () => (Signed & { readonly id: string; readonly engagements: readonly string[] }) | null;
}

/** Somebody who has a worker's login, and would like the fleet to go on. What it tries, and what it is told, is on record. */
export class Forger {
  readonly #parts: ForgerParts;
  #forgeries = 0;

  constructor(parts: ForgerParts) {
    this.#parts = parts;
  }

  /** Tries every manner by every path, one after another. */
  async forge(entry: ForgeEntry, signal: AbortSignal): Promise<void> {
    const engagements = this.#parts.openOn(entry);
    for (const manner of FORGERIES) {
      for (const path of FORGERY_PATHS) {
        signal.throwIfAborted();
        await this.#try(entry, engagements, manner, path);
      }
    }
  }

  async #try(on: ForgeEntry, open: readonly string[], manner: Forgery, path: ForgeryPath): Promise<void> {
    const { clock, history } = this.#parts;
    const forged = manner === 'replayed' ? this.#parts.released() : this.#made(on, open, manner);
    // Before the first release there is none to be shown again.
    if (forged === null) return;
    this.#forgeries += 1;
    const { id, engagements } = forged;
    const { scope, target } = on;
    const facts: ForgeryFacts = { forgery: this.#forgeries, manner, path, scope, target, engagements, id };
    const t0 = clock.nowNs();
    history.append({ type: 'forgery.sent', ...facts }, { t0, t1: t0 });
    const code = await this.#send(forged, path);
    history.append({ type: 'forgery.answered', ...facts, ok: code === null, code }, { t0, t1: clock.nowNs() });
  }

  #made(on: ForgeEntry, engagements: readonly string[], manner: Exclude<Forgery, 'replayed'>) {
    const { namespace, newId, wallMs, keys } = this.#parts;
    const { scope, target } = on;
    const release: ReleaseFlip = {
      ...{ namespace: manner === 'foreign' ? `${namespace}-other` : namespace, id: newId(), kind: 'release' },
      ...{ scope, target, engagements, reason: 'the drill forges this', triggeredBy: 'drill', source: 'killdrill run' },
      at: new Date(wallMs()).toISOString(),
    };
    const text = canonicalText(release);
    const sign = { unsigned: () => null, stranger: keys.stranger, 'stop-key': keys.stopper, foreign: keys.operator };
    return { text, signature: sign[manner](text), id: release.id, engagements };
  }

  /** Why it was refused; null when it was not. */
  async #send({ text, signature }: Signed, path: ForgeryPath): Promise<string | null> {
    const { ways } = this.#parts;
    try {
      if (path === 'relay') await ways.relay(text, signature);
      else if (path === 'flip') await ways.flip(text, signature);
      else await ways.notify(await this.#nextRecord(text, signature));
      return null;
    } catch (error) {
      return error instanceof KilldrillError ? error.code : messageOf(error);
    }
  }

  /** As the store's next flip would be, hash and all. */
  async #nextRecord(text: string, signature: string | null): Promise<FlipRecord> {
    const { epoch, revision, hash } = await this.#parts.ways.head();
    const next = revision + 1;
    return { epoch, revision: next, hash: chainHash(hash, epoch, next, text), text, signature };
  }
}
