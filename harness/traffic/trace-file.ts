import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { parseTrace, traceText } from './trace-text.ts';
import type { Trace } from './trace.ts';

/** A trace of the most effects that a drill may plan is well below this, unpacked. */
const MAX_BYTES = 256 * 1024 * 1024;

/** Writes a trace as gzipped JSON Lines. */
export async function writeTrace(path: string, trace: Trace): Promise<void> {
  await writeFile(path, await promisify(gzip)(traceText(trace)));
}

/**
 * Reads a trace file.
 *
 * @throws KilldrillError `TRACE_UNREADABLE` when it is missing, cut short or no gzip, or names the line that is wrong
 */
export async function readTrace(path: string): Promise<Trace> {
  return parseTrace(await readText(path), path);
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await promisify(gunzip)(await readFile(path), { maxOutputLength: MAX_BYTES });
    return bytes.toString('utf8');
  } catch (cause) {
    throw new KilldrillError('TRACE_UNREADABLE', `${path}: ${whyUnreadable(cause)}`, { cause });
  }
}

function whyUnreadable(cause: unknown): string {
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'found no such file, expected a gzipped trace';
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
