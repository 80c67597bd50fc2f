import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../../src/errors.ts';
import { EVIDENCE_FILES, MANIFEST } from '../bundle/manifest.ts';
import { VERDICT_FILE } from '../bundle/stored-verdict.ts';
import type { Evidence } from './evidence-file.ts';
import { EVIDENCE_LIMITS, findEvidence } from './find-evidence.ts';
import type { LeftOut } from './find-evidence.ts';
import { readEvidence } from './read-evidence.ts';

/** Evidence that counts, with a file that holds it. */
export interface KeptEvidence {
  readonly file: string;
  readonly evidence: KeptFacts;
}

/** What of evidence a calendar asks for: of tens of thousands of drills, no more is held in memory. */
export type KeptFacts = Pick<
  Evidence,
  'drill' | 'when' | 'project' | 'fleet' | 'environment' | 'stops' | 'bundle' | 'sha256'
> & {
  readonly result: Pick<Evidence['result'], 'verdict' | 'worst'>;
  /** Whether it was asked, and held, that nothing arrived after its stops: without that a pass proves no stop. */
  readonly isStandstillShown: boolean;
};

export interface LoadedEvidence {
  /** Each drill once, by the end of the drill. */
  readonly kept: readonly KeptEvidence[];
  readonly leftOut: readonly LeftOut[];
  /** Files that hold the same as another one. */
  readonly copies: number;
  readonly bundlesWithout: readonly string[];
}

/**
 * Reads all evidence in these folders. What cannot be read, was edited, does not fit the bundle that it lies in, or is of
 * another time than the past does not count and is named; the rest does.
 */
export function loadEvidence(roots: readonly string[], nowMs: number): LoadedEvidence {
  const { files, leftOut: unseen, bundlesWithout } = findEvidence(roots);
  const leftOut: LeftOut[] = [...unseen];
  const byManifest = new Map<string, KeptEvidence[]>();
  let copies = 0;
  for (const file of files) {
    const read = readFile(file);
    if ('why' in read) {
      leftOut.push({ file, ...read });
      continue;
    }
    const why = againstTime(read, nowMs) ?? againstBundle(file, read);
    if (why !== null) {
      leftOut.push({ file, line: null, why });
      continue;
    }
    const same = byManifest.get(read.bundle.manifestSha256) ?? [];
    if (same.some(({ evidence }) => evidence.sha256 === read.sha256)) copies += 1;
    else byManifest.set(read.bundle.manifestSha256, [...same, { file, evidence: factsOf(read) }]);
  }
  const kept: KeptEvidence[] = [];
  for (const tellers of byManifest.values()) {
    const [one, other] = tellers;
    if (one === undefined) continue;
    if (other === undefined) kept.push(one);
    else leftOut.push(...tellers.map(({ file }) => contradicted(file, tellers)));
  }
  return { kept: kept.toSorted(byEnd), leftOut, copies, bundlesWithout };
}

/** Nothing but what a calendar asks for. */
export function factsOf({
  drill,
  when,
  project,
  fleet,
  environment,
  stops,
  bundle,
  sha256,
  result,
}: Evidence): KeptFacts {
  const { verdict, worst, properties } = result;
  const isStandstillShown = properties.some((one) => one.name === 'no_effect_after_stop' && one.verdict === 'pass');
  const facts = { name: environment.name, facts: null, machine: null };
  return {
    ...{ drill, when, project, fleet, environment: facts, stops, bundle, sha256 },
    result: { verdict, worst },
    isStandstillShown,
  };
}

function byEnd({ evidence: one }: KeptEvidence, { evidence: other }: KeptEvidence): number {
  return Date.parse(one.when.end) - Date.parse(other.when.end);
}

/** Two stories of one run: nobody here can tell which is true. */
function contradicted(file: string, tellers: readonly KeptEvidence[]): LeftOut {
  const others = tellers.flatMap((one) => (one.file === file ? [] : [one.file]));
  const why = `${others.join(', ')} tells otherwise of the same run, so that neither counts; keep the one that is in the bundle`;
  return { file, line: null, why };
}

function readFile(file: string) {
  try {
    // A pipe may never be written to.
    const handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const facts = fstatSync(handle);
      if (!facts.isFile()) return { line: null, why: 'it is no ordinary file; expected an evidence.json' };
      if (facts.size > EVIDENCE_LIMITS.fileBytes)
        return { line: null, why: `it has ${facts.size} bytes, expected at most ${EVIDENCE_LIMITS.fileBytes}` };
      return readEvidence(readFileSync(handle, 'utf8'));
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    return { line: null, why: `it cannot be read (${messageOf(error)}); let this user read it, or name other folders` };
  }
}

function againstTime({ when }: Evidence, nowMs: number): string | null {
  const [start, end] = [Date.parse(when.start), Date.parse(when.end)];
  if (end < start) return `its drill ended at ${when.end}, before it began; take the file from its bundle again`;
  if (end <= nowMs) return null;
  return `its drill ended at ${when.end}, and here it is ${new Date(nowMs).toISOString()}; one of the two clocks is wrong`;
}

/** Beside a manifest it has to be about that, and to say of the verdict what that vouches for. */
function againstBundle(file: string, { bundle, result }: Evidence): string | null {
  if (basename(file) !== EVIDENCE_FILES.json) return null;
  const folder = dirname(file);
  const manifest = bytesOf(join(folder, MANIFEST));
  if (manifest === null) return null;
  const found = sha256Of(manifest);
  if (found !== bundle.manifestSha256)
    return `it is evidence of another bundle: the manifest beside it has sha256 ${found}, expected ${bundle.manifestSha256}`;
  const stored = bytesOf(join(folder, VERDICT_FILE));
  if (stored === null)
    return `the bundle that it lies in has lost its ${VERDICT_FILE}; copy the evidence elsewhere, or restore the bundle`;
  if (!manifest.includes(sha256Of(stored)))
    return `the ${VERDICT_FILE} beside it is not the one in the manifest; restore the bundle`;
  const verdict = verdictIn(stored.toString());
  return verdict === result.verdict
    ? null
    : `it says ${result.verdict}, and the ${VERDICT_FILE} beside it ${JSON.stringify(verdict) ?? 'nothing'}; it was edited`;
}

function verdictIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { readonly verdict?: unknown } | null)?.verdict;
  } catch {
    return undefined;
  }
}

function bytesOf(file: string): Buffer | null {
  try {
    return readFileSync(file);
  } catch {
    return null; // not there, or not for us: then the evidence stands by itself
  }
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
