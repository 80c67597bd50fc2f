import { KilldrillError } from '../../errors.ts';
import { parseFlip } from '../../flip-text.ts';
import type { FlipAnswer, FlipOptions, FlipStore, OpenEngagement } from '../store.ts';
import { underFlipLock } from './flip-lock.ts';
import type { Opened } from './flip-source.ts';
import { resolveStoreOptions } from './options.ts';
import type { ResolvedStoreOptions, StoreOptions } from './options.ts';
import { Session } from './session.ts';

/** The control plane; its login role needs `killdrill_flipper`. */
export function openFlipStore(options: StoreOptions): Opened<FlipStore> {
  return new PostgresFlipStore(resolveStoreOptions(options));
}

class PostgresFlipStore implements FlipStore {
  readonly #options: ResolvedStoreOptions;
  readonly #session: Session;

  constructor(options: ResolvedStoreOptions) {
    this.#options = options;
    this.#session = new Session('control', options);
  }

  async flip(text: string, signature: string | null, options: FlipOptions = {}): Promise<FlipAnswer> {
    const { namespace } = parseFlip(text);
    if (namespace !== this.#options.namespace) {
      throw new KilldrillError(
        'FLIP_NAMESPACE',
        `the flip is of namespace '${namespace}', but this store was opened for '${this.#options.namespace}'`,
      );
    }
    const values = [namespace, text, signature, this.#options.timings.lockMs, options.evenIfRed ?? null];
    const operation = options.again === true ? 'release_again' : 'flip';
    return underFlipLock(this.#session, this.#options, () => this.#session.call<FlipAnswer>(operation, values));
  }

  async openEngagements(): Promise<readonly OpenEngagement[]> {
    type Row = { readonly revision: number; readonly text: string };
    const rows = await this.#session.call<readonly Row[]>('open_engagements', [this.#options.namespace]);
    return rows.map(({ revision, text }) => ({ revision, flip: parseFlip(text) }));
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
