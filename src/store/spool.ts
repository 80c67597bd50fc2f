import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { KilldrillError, messageOf } from '../errors.ts';
import { parseFlip } from '../flip-text.ts';
import type { StopOffer } from './stop-port.ts';

/** A stop that is kept on disk. */
export interface SpooledStop extends StopOffer {
  readonly id: string;
  readonly path: string;
}

/** A file that is no stop of this namespace; it stays where `path` says. */
export interface SetAside {
  readonly path: string;
  readonly why: string;
}

export interface SpoolContents {
  readonly stops: readonly SpooledStop[];
  readonly setAside: readonly SetAside[];
}

/** A flip's text is at most some 10 kB; what is longer than this is no stop. */
const MAX_BYTES = 256_000;
const FILE = /^stop_[0-9a-f]{64}\.json$/;
const UNFINISHED = /^\.(?<name>stop_[0-9a-f]{64}\.json)\.tmp$/;

const fileSchema = z.strictObject({
  version: z.literal(1),
  text: z.string(),
  signature: z.string().nullable(),
  sha256: z.string(),
});

/**
 * Stops that the store has not answered for, a file each: there whole or not at all, also after a crash (temporary file,
 * fsync, rename, fsync of the folder), and readable by the owner only. One folder belongs to one process.
 */
export class Spool {
  readonly folder: string;
  readonly #namespace: string;
  #syncing: Promise<void> = Promise.resolve();
  #nextSync: Promise<void> | null = null;

  constructor(folder: string, namespace: string) {
    this.folder = folder;
    this.#namespace = namespace;
  }

  /**
   * Everything that an earlier process left. A file that is torn, or junk, is set aside under another name and never
   * thrown away; it keeps nobody from the others.
   *
   * @throws KilldrillError `SPOOL_UNUSABLE` when the folder cannot be made or read.
   */
  async open(): Promise<SpoolContents> {
    const names = await this.#names();
    const stops: SpooledStop[] = [];
    const setAside: SetAside[] = [];
    for (const name of names.toSorted()) {
      if (!FILE.test(name) && !UNFINISHED.test(name)) continue;
      const read = await this.#read(name);
      if ('why' in read) setAside.push(read);
      else if (!stops.some(({ id }) => id === read.id)) stops.push(read);
    }
    return { stops, setAside };
  }

  /**
   * Resolves once the stop is on disk, with where it is.
   *
   * @throws KilldrillError `SPOOL_UNWRITTEN` naming the folder and why.
   */
  async keep({ text, signature }: StopOffer): Promise<string> {
    const name = nameOf(parseFlip(text).id);
    const unfinished = join(this.folder, `.${name}.tmp`);
    const path = join(this.folder, name);
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      await writeWhole(unfinished, JSON.stringify({ version: 1, text, signature, sha256: sumOf(text, signature) }));
      await rename(unfinished, path);
      await this.#syncFolder();
      return path;
    } catch (cause) {
      throw new KilldrillError(
        'SPOOL_UNWRITTEN',
        `the stop could not be kept in ${this.folder}: ${messageOf(cause)}; is it a folder that this process may write to, with room?`,
        { cause },
      );
    }
  }

  /** The store has it. A file that stays after a crash is sent again, which changes nothing. */
  async drop(id: string): Promise<void> {
    await rm(join(this.folder, nameOf(id)), { force: true }).catch(() => undefined);
  }

  /** The store will never take it: its file stays for somebody to look at, under a name that is not read again. */
  async setAside(id: string): Promise<string | null> {
    return this.#aside(nameOf(id));
  }

  /** Those that were renamed before a sync of the folder began share it. */
  #syncFolder(): Promise<void> {
    this.#nextSync ??= this.#syncing.then(() => {
      this.#nextSync = null;
      const sync = syncFolder(this.folder);
      this.#syncing = sync.catch(() => undefined);
      return sync;
    });
    return this.#nextSync;
  }

  async #names(): Promise<readonly string[]> {
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      return await readdir(this.folder);
    } catch (cause) {
      throw new KilldrillError(
        'SPOOL_UNUSABLE',
        `the spool ${this.folder} cannot be read: ${messageOf(cause)}; expected a folder that this process may write to`,
        { cause },
      );
    }
  }

  async #read(name: string): Promise<SpooledStop | SetAside> {
    const path = join(this.folder, name);
    try {
      const facts = await stat(path);
      if (!facts.isFile() || facts.size > MAX_BYTES) throw new Error(`it is no file of at most ${MAX_BYTES} bytes`);
      const { text, signature, sha256 } = fileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
      if (sha256 !== sumOf(text, signature)) throw new Error('its content is not what was written');
      const { id, kind, namespace } = parseFlip(text);
      if (kind !== 'stop') throw new Error(`it is a ${kind}, and only stops are kept here`);
      // Not ours, and nobody's mistake: it waits for a process of its own namespace.
      if (namespace !== this.#namespace) return { path, why: `it is a stop of namespace '${namespace}'` };
      const kept = join(this.folder, nameOf(id));
      // Whole, and only its rename is missing.
      if (kept !== path) await rename(path, kept);
      return { id, text, signature, path: kept };
    } catch (thrown) {
      const why = `it cannot be read (${messageOf(thrown).split('\n')[0] ?? ''})`;
      return { path: (await this.#aside(name)) ?? path, why };
    }
  }

  /** Where it is now; null when it could not be moved, or is not there. */
  async #aside(name: string): Promise<string | null> {
    const to = join(this.folder, `${name.replace(/^\./, '')}.aside`);
    try {
      await rename(join(this.folder, name), to);
      return to;
    } catch {
      return null;
    }
  }
}

function nameOf(id: string): string {
  return `stop_${createHash('sha256').update(id, 'utf8').digest('hex')}.json`;
}

function sumOf(text: string, signature: string | null): string {
  return createHash('sha256')
    .update(`${signature ?? ''}\n${text}`, 'utf8')
    .digest('hex');
}

async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text, 'utf8');
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
