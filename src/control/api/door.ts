import type { Clock } from '../../clock.ts';
import type { ApiKey, ApiKeys } from './api-keys.ts';
import { Allowance } from './limits.ts';
import { RequestError } from './problem.ts';
import type { Right } from './route.ts';

/** What one address may ask for: so many a second, and so many at once. A stop with its key is under no limit. */
const REQUESTS = { perSecond: 50, burst: 200 } as const;
/** Keys that are nobody's, by address: guessing ends here. */
const WRONG_KEYS = { perSecond: 1, burst: 20 } as const;

/** Who asks, as the connection and its headers tell. */
export interface Caller {
  readonly address: string;
  /** Null: no key was shown. */
  readonly presented: string | null;
}

/** Decides who may ask for what. Never repeats a key. */
export class Door {
  readonly #keys: () => ApiKeys;
  readonly #requests: Allowance;
  readonly #wrongKeys: Allowance;

  constructor(keys: () => ApiKeys, clock: Clock) {
    this.#keys = keys;
    this.#requests = new Allowance(clock, REQUESTS.perSecond, REQUESTS.burst);
    this.#wrongKeys = new Allowance(clock, WRONG_KEYS.perSecond, WRONG_KEYS.burst);
  }

  /**
   * Whose request it is; null for one that needs no key and has none.
   *
   * @throws RequestError `KEY_MISSING`, `KEY_UNKNOWN`, `KEY_KIND`, `RATE_LIMITED`
   */
  admit(right: Right, { address, presented }: Caller): ApiKey | null {
    const keys = this.#keys();
    const key = presented === null ? null : keys.find(presented);
    if (right === 'stop' && key?.kind === 'stop') return key;
    if (right === 'public') return null;
    if (presented !== null && key === null) this.#unknown(address);
    if (!this.#requests.spend(address)) {
      throw new RequestError('RATE_LIMITED', `more than ${REQUESTS.perSecond} requests a second come from there`);
    }
    if (right === 'read' && keys.readsAreOpen) return key;
    if (key === null) throw new RequestError('KEY_MISSING', missingWords(right), 'header.x-api-key');
    if (right === 'read' || key.kind === right) return key;
    throw new WrongKind(key, right);
  }

  #unknown(address: string): never {
    if (!this.#wrongKeys.spend(address)) {
      throw new RequestError(
        'RATE_LIMITED',
        'too many unknown keys come from there; a known key is taken all the same',
      );
    }
    throw new RequestError('KEY_UNKNOWN', 'the key is none of those in the keys file', 'header.x-api-key');
  }
}

/** A key that is known, and not for this. */
export class WrongKind extends RequestError {
  readonly key: ApiKey;

  constructor(key: ApiKey, right: Right) {
    const found = `key '${key.name}' is of kind ${key.kind}, and this takes one of kind ${right}`;
    super('KEY_KIND', `${found}; the rights to stop and to release are separate`, 'header.x-api-key');
    this.key = key;
  }
}

function missingWords(right: Right): string {
  const which = right === 'read' ? 'any key' : `a key of kind ${right}`;
  return `${which} is expected in the header X-API-Key`;
}
