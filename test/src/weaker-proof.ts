import type { FlipKeys } from '../../src/flip-signature.ts';
import { parseFlip } from '../../src/flip-text.ts';
import { Registry } from '../../src/registry.ts';
import type { ApplyResult, ArrivedStop } from '../../src/registry.ts';
import type { FlipRecord, LoadAnswer, RelayAnswer, ReleaseProof } from '../../src/store/store.ts';
import { NAMESPACE } from './registry-proof.model.ts';

/** Registries with one wording each that is weaker than docs/decisions/0013. */
class Weaker extends Registry {
  constructor(keys: FlipKeys) {
    super(NAMESPACE, { keys });
  }
}

export class BelievesTheStoresWord extends Weaker {
  readonly #gone = new Set<string>();

  override relayed(id: string, answer: RelayAnswer): void {
    if (answer.kind === 'closed') this.#gone.add(id);
    super.relayed(id, answer);
  }

  override openEngagements(): ReturnType<Registry['openEngagements']> {
    return super.openEngagements().filter(({ id }) => !this.#gone.has(id));
  }
}

export class WithOtherProof extends Weaker {
  readonly #bend: (proof: ReleaseProof) => ReleaseProof;

  constructor(keys: FlipKeys, bend: (proof: ReleaseProof) => ReleaseProof) {
    super(keys);
    this.#bend = bend;
  }

  override load(answer: LoadAnswer): boolean {
    return super.load(answer.released === undefined ? answer : { ...answer, released: this.#bend(answer.released) });
  }
}

export class EnforcesJunk extends Weaker {
  override arrive(stop: ArrivedStop): boolean {
    return super.arrive({ ...stop, authority: 'path' });
  }
}

export class StopsAtAForgery extends Weaker {
  override apply(flips: readonly FlipRecord[]): ApplyResult {
    const forged = flips.findIndex(({ text, signature }) => parseFlip(text).kind === 'release' && signature === null);
    return super.apply(forged < 0 ? flips : flips.slice(0, forged));
  }
}

/** The text in the store is the one that counts, as without keys. */
export class TakesTheStoresText extends Weaker {
  readonly #inStore = new Map<string, 'run'>();

  override apply(flips: readonly FlipRecord[]): ApplyResult {
    for (const { text } of flips) {
      const flip = parseFlip(text);
      if (flip.kind === 'stop' && flip.scope === 'run') this.#inStore.set(flip.id, flip.scope);
    }
    return super.apply(flips);
  }

  override openEngagements(): ReturnType<Registry['openEngagements']> {
    return super.openEngagements().map((one) => ({ ...one, scope: this.#inStore.get(one.id) ?? one.scope }));
  }
}
