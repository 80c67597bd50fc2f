import { mkdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { makeNew } from './make-new.ts';
import { FILE_NAME, MANIFEST, digest, isListed, sealedManifest, writeWhole } from './manifest.ts';
import type { FileDigest, StoreHead } from './manifest.ts';

/** A run's folder while the run goes on. */
export interface Bundle {
  /** Absolute. */
  readonly folder: string;
  /** Where a file of the bundle is or will be, for those who write it themselves (the history). */
  path(name: string): string;
  /** Writes one file whole; a second time replaces it. */
  write(name: string, content: string | Uint8Array): Promise<void>;
  /** Writes `manifest.json`, which says that the bundle is complete; nothing may be written afterwards but evidence, which carries its hash. */
  finish(storeHead?: StoreHead | null): Promise<void>;
}

export interface BundleOptions {
  /** Made if it is not there. */
  readonly reportsFolder: string;
  /** When the run began. */
  readonly time: Date;
  readonly scenarioName: string;
}

const MAX_SAME_TIME = 1000;

/**
 * Makes `reports/<time>-<scenario>/`; a run that finds the name taken gets `-2`, `-3`, … at its end.
 *
 * @throws KilldrillError `BUNDLE_NOT_MADE` when the folder cannot be made.
 */
export function createBundle(options: BundleOptions): Bundle {
  return new OpenFolder(makeFolder(options));
}

function makeFolder({ reportsFolder, time, scenarioName }: BundleOptions): string {
  const scenario = scenarioName.replace(/[^A-Za-z0-9-]+/g, '-').slice(0, 60);
  const name = `${time.toISOString().slice(0, 19).replaceAll(':', '-')}-${scenario}`;
  try {
    mkdirSync(reportsFolder, { recursive: true });
    for (let nth = 1; nth <= MAX_SAME_TIME; nth += 1) {
      const folder = resolve(reportsFolder, nth === 1 ? name : `${name}-${nth}`);
      if (makeNew(folder)) return folder;
    }
  } catch (cause) {
    throw notMade(reportsFolder, `${messageOf(cause)}; name another folder with --out`, cause);
  }
  throw notMade(reportsFolder, `it holds ${MAX_SAME_TIME} runs named ${name} already`);
}

function notMade(folder: string, what: string, cause?: unknown): KilldrillError {
  return new KilldrillError('BUNDLE_NOT_MADE', `no folder for this run can be made in ${folder}: ${what}`, { cause });
}

class OpenFolder implements Bundle {
  readonly folder: string;
  #finished = false;

  constructor(folder: string) {
    this.folder = folder;
  }

  path(name: string): string {
    if (FILE_NAME.test(name) && name !== MANIFEST) return join(this.folder, name);
    throw new KilldrillError(
      'BUNDLE_NAME',
      `'${name}' is no name for a file of a bundle; expected one such as verdict.json`,
    );
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    this.path(name);
    if (this.#finished) throw this.#isFinished(`${name} cannot be written any more`);
    await writeWhole(this.folder, name, content);
  }

  async finish(storeHead?: StoreHead | null): Promise<void> {
    if (this.#finished) throw this.#isFinished('it cannot be finished twice');
    this.#finished = true;
    const files: Record<string, FileDigest> = {};
    const entries = await readdir(this.folder, { withFileTypes: true });
    for (const name of entries
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .toSorted()) {
      if (isListed(name)) files[name] = await digest(join(this.folder, name));
    }
    await writeWhole(this.folder, MANIFEST, sealedManifest({ files, storeHead: storeHead ?? null }));
  }

  #isFinished(what: string): KilldrillError {
    return new KilldrillError('BUNDLE_FINISHED', `the bundle ${this.folder} has its manifest: ${what}`);
  }
}
