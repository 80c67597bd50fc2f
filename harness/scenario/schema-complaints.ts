import type { z } from 'zod';
import type { Complaint } from './complaint.ts';
import { describeFound } from './found.ts';
import { ENTRY_KEYS, ENTRY_SCHEMAS } from './timeline-schema.ts';
import { TRAFFIC_SCHEMAS } from './traffic-schema.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly (string | number)[];

/** What the schema finds wrong with a value. */
export function schemaComplaints(schema: z.ZodType, value: unknown): readonly Complaint[] {
  const read = schema.safeParse(value);
  return read.success ? [] : read.error.issues.flatMap((issue) => complaintsOf(issue, value));
}

function complaintsOf(issue: Issue, root: unknown): readonly Complaint[] {
  const path = issue.path as Path;
  const value = valueAt(root, path);
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue, path);
  if (issue.code === 'invalid_key') return [oddKey(issue, path)];
  if (issue.code === 'invalid_union') {
    if (path[0] === 'traffic') return trafficComplaints(path, value);
    return path[0] === 'timeline' ? entryComplaints(path, value) : unionComplaints(issue, path, value);
  }
  const [expected = '', fix = ''] = issue.message.split('\n');
  return [{ path, found: describeFound(value), expected, fix }];
}

function unknownKeys(issue: Extract<Issue, { code: 'unrecognized_keys' }>, path: Path): readonly Complaint[] {
  const [expected = '', ...fixes] = issue.message.split('\n');
  return issue.keys.map((key, i) => ({
    path: [...path, key],
    aboutKey: true,
    found: `the unknown key '${key}'`,
    expected,
    fix: fixes[i] ?? 'remove it',
  }));
}

function oddKey(issue: Issue, path: Path): Complaint {
  const [expected = '', fix = ''] = issue.message.split('\n');
  return { path, aboutKey: true, found: describeFound(path.at(-1)), expected, fix };
}

/** A union of a word and a list: whoever wrote a list is told about the list. */
function unionComplaints(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: Path,
  value: unknown,
): readonly Complaint[] {
  const ofList = Array.isArray(value) ? (issue.errors.at(-1) ?? []) : [];
  if (ofList.length > 0) {
    return ofList.flatMap((inner) =>
      complaintsOf(inner, value).map((one) => ({ ...one, path: [...path, ...one.path] })),
    );
  }
  const [expected = '', fix = ''] = issue.message.split('\n');
  return [{ path, found: describeFound(value), expected, fix }];
}

/** What is wrong with a timeline entry is told by the kind that it wants to be. */
function entryComplaints(path: Path, value: unknown): readonly Complaint[] {
  const kinds = typeof value === 'object' && value !== null ? ENTRY_KEYS.filter((key) => key in value) : [];
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const found = kinds.length > 1 ? `both ${kinds.join(' and ')}` : describeFound(value);
    const fix = kinds.length > 1 ? 'make each an entry of its own' : 'write for example { when: exposed, flip: … }';
    return [{ path, found, expected: `exactly one of the keys ${ENTRY_KEYS.join(', ')}`, fix }];
  }
  return schemaComplaints(ENTRY_SCHEMAS[kind], value).map((one) => ({ ...one, path: [...path, ...one.path] }));
}

/** What is wrong with traffic is told by the kind that it wants to be: one that names a trace is given. */
function trafficComplaints(path: Path, value: unknown): readonly Complaint[] {
  const isGiven = typeof value === 'object' && value !== null && 'trace' in value;
  const { given, drawn } = TRAFFIC_SCHEMAS;
  return schemaComplaints(isGiven ? given : drawn, value).map((one) => ({ ...one, path: [...path, ...one.path] }));
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
