import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { KilldrillError } from '../../errors.ts';

/** What a key is good for. Each reads; only a `stop` key stops, and only a `release` key releases. */
export const KEY_KINDS = ['stop', 'release', 'read'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

export interface ApiKey {
  readonly name: string;
  readonly kind: KeyKind;
}

interface StoredKey extends ApiKey {
  readonly hash: Buffer;
}

const MAX_KEYS = 100;
const keysSchema = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[\w.@-]{1,80}$/, 'expected 1 to 80 letters, digits, or _ . @ -'),
      kind: z.enum(KEY_KINDS),
      sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits: the hash, never the key itself'),
    }),
  )
  .max(MAX_KEYS);

/** An entry of a keys file. */
export type KeyEntry = z.output<typeof keysSchema>[number];

/** Keys by their hashes. Several of a kind may be there at once, as while they are turned. */
export class ApiKeys {
  readonly #keys: readonly StoredKey[];

  constructor(entries: readonly KeyEntry[]) {
    this.#keys = entries.map(({ name, kind, sha256 }) => ({ name, kind, hash: Buffer.from(sha256, 'hex') }));
  }

  /** Reads are closed as soon as there is a key for them. */
  get readsAreOpen(): boolean {
    return !this.#keys.some(({ kind }) => kind === 'read');
  }

  /** Whose key this is; null for nobody's. Takes as long whichever it is: hashes are compared, all of them. */
  find(presented: string): ApiKey | null {
    const hash = createHash('sha256').update(presented, 'utf8').digest();
    let found: StoredKey | null = null;
    for (const key of this.#keys) if (timingSafeEqual(key.hash, hash)) found = key;
    return found === null ? null : { name: found.name, kind: found.kind };
  }
}

/** The entry that a keys file has for a key. The key has to be random: its hash is not salted. */
export function keyEntry(name: string, kind: KeyKind, key: string): KeyEntry {
  return { name, kind, sha256: createHash('sha256').update(key, 'utf8').digest('hex') };
}

/**
 * Reads the list of a keys file: `{name, kind, sha256}` each.
 *
 * @throws KilldrillError `API_KEYS_INVALID` naming the entry and what was expected; never what was found, which may be a key.
 */
export function readApiKeys(list: unknown): readonly KeyEntry[] {
  const read = keysSchema.safeParse(list);
  const issue = read.error?.issues[0];
  if (!read.success) {
    const where = issue === undefined || issue.path.length === 0 ? 'the list' : issue.path.join('.');
    throw invalid(`${where}: ${issue?.message ?? 'unreadable'}`);
  }
  const twice = read.data.find(({ sha256 }, at) => read.data.findIndex((other) => other.sha256 === sha256) !== at);
  if (twice !== undefined) throw invalid(`'${twice.name}' is the same key as another; each has one name and one kind`);
  return read.data;
}

function invalid(what: string): KilldrillError {
  return new KilldrillError(
    'API_KEYS_INVALID',
    `the API's keys cannot be used: ${what}; make entries with 'killdrill api-key'`,
  );
}
