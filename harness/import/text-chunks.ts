import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { KilldrillError, messageOf } from '../../src/errors.ts';

const CHUNK_BYTES = 256 * 1024;

/**
 * A file's text, piece by piece, gzipped or not: no more than a few pieces are in memory at once.
 *
 * @throws KilldrillError `RECORD_UNREADABLE` when there is no such file, it is no UTF-8, or its gzip ends too early
 */
export async function* textChunks(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    const isGzip = await beginsAsGzip(file);
    const bytes = createReadStream(file, { highWaterMark: CHUNK_BYTES });
    const source = isGzip ? unzipped(bytes) : bytes;
    for await (const piece of source) yield decoder.decode(piece as Buffer, { stream: true });
    yield decoder.decode();
  } catch (cause) {
    if (cause instanceof KilldrillError) throw cause;
    throw new KilldrillError('RECORD_UNREADABLE', `${file}: ${whyUnreadable(cause)}`, { cause });
  }
}

async function beginsAsGzip(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const facts = await handle.stat();
    if (!facts.isFile())
      throw new Error(`found ${facts.isDirectory() ? 'a folder' : 'no ordinary file'}, expected one`);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
}

function unzipped(bytes: Readable): Readable {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  // Its error ends the reading of what comes out, which is where somebody listens.
  pipeline(bytes, gunzip).catch(() => undefined);
  return gunzip;
}

function whyUnreadable(cause: unknown): string {
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'found no such file; check the path';
    case 'EACCES':
      return 'found a file that may not be read';
    case 'Z_BUF_ERROR':
      return 'the gzip ends too early: the file was cut short; copy it again';
    case 'Z_DATA_ERROR':
      return `found bytes that are no whole gzip (${messageOf(cause)}); copy it again`;
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return 'found bytes that are not UTF-8; save it as UTF-8';
    default:
      return messageOf(cause);
  }
}
