import { z } from 'zod';
import { KilldrillError } from '../../src/errors.ts';
import { CAPABILITY } from '../scenario/timeline-schema.ts';
import { linkComplaints } from './trace-links.ts';
import { STEP_KINDS, TRACE_VERSION } from './trace.ts';
import type { Trace, TraceHeader, TraceRun } from './trace.ts';

/** Versions of traces that bundles have, oldest first. */
const READ_VERSIONS = [1, TRACE_VERSION] as const;

const name = z.string().min(1).max(300);
const ms = z.number().min(0).max(86_400_000);
const flag = z.literal(true).exactOptional();
const header = z.strictObject({
  // What a later version added may all be absent, so that an earlier trace reads as one of this version.
  version: z.literal(READ_VERSIONS).transform((): typeof TRACE_VERSION => TRACE_VERSION),
  seed: z.number().int().min(0),
  generator: z.record(z.string(), z.unknown()),
});
const step = z.strictObject({
  kind: z.enum(STEP_KINDS).exactOptional(),
  capability: name.regex(CAPABILITY),
  access: z.enum(['read', 'write']),
  journal: z.boolean(),
  serviceMs: ms,
  deadlineMs: ms.positive(),
  refusals: z.number().int().min(1).max(100).exactOptional(),
  delayMs: ms.exactOptional(),
  child: name.exactOptional(),
  attached: flag,
  idempotent: flag,
});
const parent = z.strictObject({ run: name, step: z.number().int().min(0) });
const run = z.strictObject({
  dueMs: ms,
  run: name,
  tenant: name,
  feature: name,
  agent: name,
  primed: flag,
  parent: parent.exactOptional(),
  lineage: z.array(name).min(1).max(10).exactOptional(),
  startAfterMs: ms.exactOptional(),
  probe: flag,
  runaway: flag,
  plan: z.array(step).min(1).max(1_000),
});

/** Of a line and what is in it: each is written in this order, wherever its run comes from. */
const KEYS: string[] = [run, parent, step].flatMap(({ shape }) => Object.keys(shape));

/** The trace as JSON Lines: the header, then a run a line. */
export function traceText(trace: Trace): string {
  const runs = trace.runs.map((one) => JSON.stringify(one, KEYS));
  return [JSON.stringify(trace.header), ...runs].map((line) => `${line}\n`).join('');
}

/**
 * Reads a trace's JSON Lines.
 *
 * @param file how messages name the text
 * @throws KilldrillError `TRACE_UNREADABLE` naming the first line that is wrong, and why
 */
export function parseTrace(text: string, file: string): Trace {
  if (text === '') throw unreadable(file, 1, 'found an empty file, expected a header');
  if (!text.endsWith('\n'))
    throw unreadable(file, text.split('\n').length, 'found a line without an end; it was cut short');
  const [first = '', ...rest] = text.slice(0, -1).split('\n');
  refuseOtherVersion(first, file);
  const read: TraceHeader = parseLine(header, first, file, 1);
  const runs: readonly TraceRun[] = rest.map((line, i) => parseLine(run, line, file, i + 2));
  checkOrder(runs, file);
  const { runs: count } = read.generator;
  if (typeof count === 'number' && count !== runs.length) {
    throw unreadable(file, 1, `found ${runs.length} runs, expected the ${count} that the header counts`);
  }
  const [wrong] = linkComplaints(runs);
  if (wrong !== undefined) throw unreadable(file, wrong.index + 2, wrong.sentence);
  return { header: read, runs };
}

/** Said before anything else: a header of another version may be wrong in other ways, too. */
function refuseOtherVersion(line: string, file: string): void {
  const version = /^\{"version":(\d+)[,}]/.exec(line)?.[1];
  if (version === undefined || READ_VERSIONS.some((known) => String(known) === version)) return;
  const sentence = `version: found ${version}, expected ${READ_VERSIONS.join(' or ')}`;
  throw unreadable(file, 1, `${sentence}; this killdrill reads no other, so run the drill again for a new trace`);
}

function parseLine<T>(schema: z.ZodType<T>, line: string, file: string, number: number): T {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw unreadable(file, number, `found no JSON: ${line.slice(0, 60)}`, cause);
  }
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw unreadable(file, number, `${issue?.path.join('.') || 'the line'}: ${issue?.message ?? 'wrong'}`);
}

function checkOrder(runs: readonly TraceRun[], file: string): void {
  const ids = new Set<string>();
  let latestMs = 0;
  for (const [i, { run: id, dueMs }] of runs.entries()) {
    if (ids.has(id)) throw unreadable(file, i + 2, `found run '${id}' once more, expected each run once`);
    if (dueMs < latestMs)
      throw unreadable(file, i + 2, `found dueMs ${dueMs} after ${latestMs}, expected order of time`);
    ids.add(id);
    latestMs = dueMs;
  }
}

function unreadable(file: string, line: number, sentence: string, cause?: unknown): KilldrillError {
  return new KilldrillError('TRACE_UNREADABLE', `${file}:${line}: ${sentence}`, { cause });
}
