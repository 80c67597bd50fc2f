import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openControlPlane } from '../../../../harness/cli/control-plane.ts';
import type { ControlPlane } from '../../../../harness/cli/control-plane.ts';
import { ApiKeys, keyEntry } from '../../../../src/control/api/api-keys.ts';
import { prepareDatabase } from '../../store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../../store/postgres/prepared-database.ts';

export const NAMESPACE = 'payments';
export const KEYS = { stop: 'a-key-that-stops', release: 'a-key-that-releases', read: 'a-key-that-reads' } as const;
type Kind = keyof typeof KEYS;

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  /** The body if it is JSON. */
  readonly json: Record<string, unknown>;
  readonly headers: Headers;
}

/** A control plane of its own over a real database. */
export interface ApiRig {
  readonly database: PreparedDatabase;
  readonly folder: string;
  readonly errors: readonly string[];
  readonly plane: ControlPlane;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  post(path: string, body: unknown, key?: string | null): Promise<Answer>;
  /** The request as it is. */
  ask(path: string, init: RequestInit): Promise<Answer>;
  close(): Promise<void>;
}

export async function openApiRig(
  options: { readonly kinds?: readonly Kind[]; readonly url?: string } = {},
): Promise<ApiRig> {
  const database = await prepareDatabase();
  await database.addNamespace(NAMESPACE);
  const folder = mkdtempSync(join(tmpdir(), 'killdrill-api-'));
  const errors: string[] = [];
  const { kinds = ['stop', 'release'] } = options;
  const keys = new ApiKeys(kinds.map((kind) => keyEntry(`${kind}-key`, kind, KEYS[kind])));
  const plane = await openControlPlane({
    ...{ connectionString: options.url ?? database.flipperUrl, namespace: NAMESPACE, executor: null },
    ...{ listen: { port: 0, tls: null }, keys: () => keys, spoolFolder: join(folder, 'spool') },
    onError: (error) => errors.push(error.message),
  });
  const ask = (path: string, init: RequestInit): Promise<Answer> => askFor(`${plane.url}${path}`, init);
  return {
    ...{ database, folder, errors, plane, ask },
    get: (path, headers = {}) => ask(path, { headers }),
    post: (path, body, key = null) => ask(path, postOf(body, key)),
    close: async () => {
      await plane.close();
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function postOf(body: unknown, key: string | null): RequestInit {
  const headers = { 'content-type': 'application/json', ...(key === null ? {} : { 'x-api-key': key }) };
  return { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

export async function askFor(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  const json = /json/.test(type) ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.status, type, text, json, headers: response.headers };
}
