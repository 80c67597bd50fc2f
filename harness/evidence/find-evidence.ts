import { readdirSync, statSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../src/errors.ts';
import { EVIDENCE_FILES, MANIFEST } from '../bundle/manifest.ts';

/** Something that was found and does not count, and why. */
export interface LeftOut {
  readonly file: string;
  /** Null where there is none. */
  readonly line: number | null;
  readonly why: string;
}

export interface FoundFiles {
  readonly files: readonly string[];
  readonly leftOut: readonly LeftOut[];
  /** Bundles that have no evidence: of the selftest, of a gate, or of an earlier killdrill. */
  readonly bundlesWithout: readonly string[];
}

export const EVIDENCE_LIMITS = { files: 50_000, folders: 100_000, depth: 8, fileBytes: 1_048_576 } as const;

/** The end of a copy's name; a folder can hold many of them. */
const COPY = `.${EVIDENCE_FILES.json}`;

/**
 * Every `evidence.json` and `<name>.evidence.json` in these folders and below. What cannot be looked at is left out and named;
 * a link is followed to a file, never to a folder.
 *
 * @param roots folders, or files of evidence
 */
export function findEvidence(roots: readonly string[]): FoundFiles {
  const files: string[] = [];
  const leftOut: LeftOut[] = [];
  const bundlesWithout: string[] = [];
  const leave = (file: string, why: string): void => void leftOut.push({ file, line: null, why });
  const waiting = roots.map((path) => ({ path, depth: 0 }));
  let folders = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, depth } = next;
    if (depth === 0 && !isFolder(path)) {
      files.push(path);
      continue;
    }
    folders += 1;
    if (folders > EVIDENCE_LIMITS.folders || files.length > EVIDENCE_LIMITS.files) {
      leave(path, `more than ${EVIDENCE_LIMITS.files} files or ${EVIDENCE_LIMITS.folders} folders; name fewer folders`);
      break;
    }
    const entries = entriesOf(path, leave);
    if (entries.some(({ name }) => name === MANIFEST) && !entries.some(({ name }) => name === EVIDENCE_FILES.json))
      bundlesWithout.push(path);
    for (const entry of entries) {
      const inside = join(path, entry.name);
      if (entry.isDirectory() && depth >= EVIDENCE_LIMITS.depth)
        leave(inside, `it is more than ${EVIDENCE_LIMITS.depth} folders deep; name it by itself`);
      else if (entry.isDirectory()) waiting.push({ path: inside, depth: depth + 1 });
      else if (entry.isSymbolicLink() && isFolder(inside))
        leave(inside, 'it is a link to a folder, and those are not followed; name the folder that it leads to');
      else if (isEvidenceName(entry.name)) files.push(inside);
    }
  }
  return { files: files.toSorted(), leftOut, bundlesWithout: bundlesWithout.toSorted() };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // reading it as a file says what is wrong
  }
}

function entriesOf(folder: string, leave: (file: string, why: string) => void): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    leave(folder, `the folder cannot be read (${messageOf(error)}); let this user read it, or name other folders`);
    return [];
  }
}

function isEvidenceName(name: string): boolean {
  return name === EVIDENCE_FILES.json || (name.endsWith(COPY) && !name.startsWith('.'));
}
