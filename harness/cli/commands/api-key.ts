import { randomBytes } from 'node:crypto';
import { KEY_KINDS, keyEntry, readApiKeys } from '../../../src/control/api/api-keys.ts';
import type { KeyKind } from '../../../src/control/api/api-keys.ts';
import { messageOf } from '../../../src/errors.ts';
import { apiKeysSoFar, writeApiKeyFile } from '../api-key-file.ts';
import { EXIT } from '../exit.ts';
import { data, note } from '../output.ts';
import { usage } from '../usage.ts';

export interface ApiKeyFlags {
  readonly keys: string;
  readonly json?: boolean;
}

const KEY_BYTES = 32;

/** `killdrill api-key`: makes a key, prints it once, and puts its hash into the keys file. */
export function apiKey(kind: string, name: string, { keys: path, json }: ApiKeyFlags): number {
  if (!isKind(kind)) throw usage(`'${kind}' is no kind of key; expected one of ${KEY_KINDS.join(', ')}`);
  const before = apiKeysSoFar(path);
  if (before.some((entry) => entry.name === name && entry.kind === kind)) {
    throw usage(
      `${path} has a ${kind} key of '${name}' already; give the new one another name, and remove the old entry later`,
    );
  }
  const key = randomBytes(KEY_BYTES).toString('base64url');
  const entries = readApiKeys([...before, keyEntry(name, kind, key)]);
  try {
    writeApiKeyFile(path, entries);
  } catch (thrown) {
    throw usage(`${path} cannot be written (${messageOf(thrown)})`);
  }
  data(json === true ? JSON.stringify({ name, kind, key }) : key);
  note(`a ${kind} key of '${name}'; it is shown this once, and ${path} has its hash only`);
  return EXIT.pass;
}

function isKind(kind: string): kind is KeyKind {
  return KEY_KINDS.some((one) => one === kind);
}
