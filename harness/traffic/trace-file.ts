import { readFileSync, statSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gunzipSync, gzip } from 'node:zlib';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { parseTrace, traceText } from './trace-text.ts';
import type { Trace } from './trace.ts';

/** How a trace's file is called that lies in a bundle, or beside a scenario. */
export const TRACE_FILE = 'trace.jsonl.gz';

/** A trace of the most effects that a drill may plan is well below this, unpacked. */
const MAX_BYTES = 256 * 1024 * 1024;

/** Writes a trace as gzipped JSON Lines, whole or not at all. */
export async function writeTrace(path: string, trace: Trace): Promise<void> {
  const half = join(dirname(path), `.${basename(path)}.half`);
  await writeFile(half, await promisify(gzip)(traceText(trace)));
  await rename(half, path);
}

/**
 * Reads a trace file.
 *
 * @throws KilldrillError `TRACE_UNREADABLE` when it is missing, cut short or no gzip, or names the line that is wrong
 */
export async function readTrace(path: string): Promise<Trace> {
  return parseTrace(await readText(path), path);
}

/**
 * Reads a trace file at once, gzipped or plain.
 *
 * @throws KilldrillError as `readTrace` does
 */
export function readTraceNow(path: string): Trace {
  let text: string;
  try {
    const facts = statSync(path);
    // A pipe or a device may never end; a folder says EISDIR by itself.
    if (!facts.isFile() && !facts.isDirectory()) throw new Error('found no ordinary file, expected a trace');
    if (facts.size > MAX_BYTES) throw new Error(`found ${facts.size} bytes, expected at most ${MAX_BYTES}`);
    const bytes = readFileSync(path);
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    text = (isGzip ? gunzipSync(bytes, { maxOutputLength: MAX_BYTES }) : bytes).toString('utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
  return parseTrace(text, path);
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await promisify(gunzip)(await readFile(path), { maxOutputLength: MAX_BYTES });
    return bytes.toString('utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): KilldrillError {
  return new KilldrillError('TRACE_UNREADABLE', `${path}: ${whyUnreadable(cause)}`, { cause });
}

function whyUnreadable(cause: unknown): string {
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'found no such file, expected a gzipped trace';
    case 'EISDIR':
      return 'found a folder, expected a gzipped trace';
    case 'Z_BUF_ERROR':
      return 'the gzip ends too early: the file was cut short; copy it again';
    case 'Z_DATA_ERROR':
      return `found bytes that are no whole gzip (${messageOf(cause)}), expected a gzipped trace`;
    case 'ERR_BUFFER_TOO_LARGE':
      return `found more than ${MAX_BYTES} bytes, unpacked; expected a trace`;
    default:
      return messageOf(cause);
  }
}
