import { pathText } from '../scenario/complaint.ts';
import { readYaml } from '../scenario/yaml-text.ts';
import { EVIDENCE_VERSION, evidenceSchema } from './evidence-file.ts';
import type { Evidence } from './evidence-file.ts';
import { sealOf } from './seal.ts';

/** A text that is no evidence, or not as it was written: a sentence, with the line where there is one. */
export interface NoEvidence {
  readonly line: number | null;
  readonly why: string;
}

/** Reads the text of an `evidence.json`, and holds it against its own sha256. */
export function readEvidence(text: string): Evidence | NoEvidence {
  try {
    return read(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { line: null, why: 'found JSON nested deeper than any evidence; expected the evidence of a drill' };
  }
}

function read(text: string): Evidence | NoEvidence {
  const value = parsed(text);
  if ('why' in value) return value;
  const { found } = value;
  const foreign = foreignBecause(found);
  if (foreign !== null) return { line: null, why: foreign };
  const checked = evidenceSchema.safeParse(found);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    const path = (issue?.path ?? []) as readonly (string | number)[];
    const why = `${pathText(path) || 'its content'} is not what killdrill writes: ${issue?.message ?? 'unreadable'}; take the file from its bundle again`;
    return { line: lineOf(text, path), why };
  }
  if (namesIn(text) !== namesOf(found)) {
    const why = 'it was edited: found more than one value for a name; take the file from its bundle again';
    return { line: null, why };
  }
  const seal = sealOf(found as Record<string, unknown>);
  if (seal === checked.data.sha256) return checked.data;
  const why = `it was edited: found content with sha256 ${seal}, expected ${checked.data.sha256}, which the file names itself; take the file from its bundle again`;
  return { line: lineOf(text, ['sha256']), why };
}

/** How many names have values in a text of JSON. A string that is followed by a colon is one. */
function namesIn(text: string): number {
  let names = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*(:?)/g)) if (colon === ':') names += 1;
  return names;
}

/** How many are left of them once it is read: of those that are alike, one is. */
function namesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, one: unknown) => sum + namesOf(one), own);
}

/** What stands there as JSON, in a box of its own: it may be anything. */
function parsed(text: string): { readonly found: unknown } | NoEvidence {
  try {
    return { found: JSON.parse(text) };
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const at = /position (\d+)/.exec(String(error))?.[1];
    const end = at === undefined ? text : text.slice(0, Number(at));
    const isCut = at === undefined || Number(at) >= text.trimEnd().length;
    const found = text.trim() === '' ? 'nothing' : isCut ? 'the end of the file in the middle of it' : 'no JSON';
    const why = `found ${found}, expected the whole JSON of an evidence.json; take the file from its bundle again`;
    return { line: end.split('\n').length, why };
  }
}

function foreignBecause(value: unknown): string | null {
  const object = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  if (object['kind'] !== 'killdrill evidence')
    return 'found JSON of another kind, expected "kind": "killdrill evidence"; move it elsewhere';
  const { version } = object;
  if (version === EVIDENCE_VERSION) return null;
  const newer = typeof version === 'number' && version > EVIDENCE_VERSION;
  const mend = newer ? 'a newer killdrill wrote it: read it with that one' : 'take the file from its bundle again';
  return `found version ${JSON.stringify(version) ?? 'nothing'}, expected ${EVIDENCE_VERSION}; ${mend}`;
}

/** JSON is YAML as well, and our reader of that knows its lines; null for a text that is beyond it. */
function lineOf(text: string, path: readonly (string | number)[]): number | null {
  const yaml = readYaml(text);
  return 'positionOf' in yaml ? yaml.positionOf(path, false).line : null;
}
