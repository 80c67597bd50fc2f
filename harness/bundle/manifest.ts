import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { KilldrillError, messageOf } from '../../src/errors.ts';

export const MANIFEST = 'manifest.json';
export const MANIFEST_VERSION = 1;

/** What is written beside a manifest after it, and carries its hash: no manifest lists it. */
export const EVIDENCE_FILES = { json: 'evidence.json', markdown: 'evidence.md' } as const;

/** Whether a file of this name may be in the manifest. */
export function isListed(name: string): boolean {
  return FILE_NAME.test(name) && !Object.values<string>(EVIDENCE_FILES).includes(name);
}

/** Names of a bundle's files: plain, so that none leads out of its folder. */
export const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

const headSchema = z.strictObject({
  epoch: z.string(),
  revision: z.number().int().min(0),
  hash: z.string(),
  /** Ed25519 over the head, base64; null when it is unsigned. */
  signature: z.string().nullable(),
});

const manifestSchema = z.strictObject({
  version: z.literal(MANIFEST_VERSION),
  files: z.record(
    z.string().regex(FILE_NAME),
    z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.number().int().min(0) }),
  ),
  /** The store's head at the end of the drill; null when it could not be had. */
  storeHead: headSchema.nullable(),
  /** Of the manifest's own text without this line; earlier manifests have none. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type StoreHead = z.infer<typeof headSchema>;
export type FileDigest = Manifest['files'][string];

/**
 * The manifest of a bundle; null when there is none.
 *
 * @throws KilldrillError `BUNDLE_ALTERED` when it is not what killdrill writes.
 */
export async function readManifest(folder: string): Promise<Manifest | null> {
  let text: string;
  try {
    text = await readFile(join(folder, MANIFEST), 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw altered(folder, MANIFEST, `it cannot be read: ${messageOf(cause)}`, cause);
  }
  const read = manifestSchema.safeParse(parseJson(folder, text));
  if (read.success) return asWritten(folder, text, read.data);
  const issue = read.error.issues[0];
  throw altered(
    folder,
    MANIFEST,
    `its ${issue?.path.join('.') || 'content'} is wrong: ${issue?.message ?? 'unreadable'}`,
  );
}

/**
 * The text of a manifest. It ends in its own sha256, so that no byte of it can be another one unnoticed, those of the store's
 * head included; that proves nothing against somebody who seals it anew.
 */
export function sealedManifest(manifest: Omit<Manifest, 'version' | 'sha256'>): string {
  const whole = { version: MANIFEST_VERSION, ...manifest };
  return inLines({ ...whole, sha256: createHash('sha256').update(inLines(whole)).digest('hex') });
}

/** Of one with a seal every byte is held to it; of one without, those that JSON reads. */
function asWritten(folder: string, text: string, { sha256, ...manifest }: Manifest): Manifest {
  if (sha256 === undefined || text === sealedManifest(manifest)) return manifest;
  throw altered(folder, MANIFEST, 'its text and the sha256 at its end do not belong together');
}

function inLines(json: unknown): string {
  return `${JSON.stringify(json, null, 2)}\n`;
}

function parseJson(folder: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw altered(folder, MANIFEST, 'it is no JSON', cause);
  }
}

/** The sha256 and size of one file as it is now. */
export async function digest(file: string): Promise<FileDigest> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(createReadStream(file), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  });
  return { sha256: hash.digest('hex'), bytes };
}

/** @throws KilldrillError `BUNDLE_ALTERED` when a file is not byte for byte what the manifest says. */
export async function verifyFile(folder: string, name: string, expected: FileDigest): Promise<void> {
  const file = join(folder, name);
  const stat = await lstat(file).catch(() => null);
  if (stat === null) throw altered(folder, name, 'it is missing');
  if (!stat.isFile()) throw altered(folder, name, 'it is no plain file');
  if (stat.size !== expected.bytes)
    throw altered(folder, name, `it has ${stat.size} bytes instead of ${expected.bytes}`);
  const found = await digest(file);
  if (found.sha256 !== expected.sha256)
    throw altered(folder, name, `its sha256 is ${found.sha256} instead of ${expected.sha256}`);
}

/** Writes a file so that it is there whole or not at all, also after a loss of power. */
export async function writeWhole(folder: string, name: string, content: string | Uint8Array): Promise<void> {
  const half = join(folder, `.${name}.half`);
  const handle = await open(half, 'w', 0o644);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(half, join(folder, name));
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export function altered(folder: string, name: string, what: string, cause?: unknown): KilldrillError {
  return new KilldrillError(
    'BUNDLE_ALTERED',
    `${name} in the bundle ${folder} is not as the drill wrote it: ${what}; judge an untouched copy, or run the drill again`,
    { cause },
  );
}
