import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { constants, crc32, createGunzip } from 'node:zlib';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { HISTORY_VERSION } from './event.ts';
import { withWholeFlips } from './earlier-flips.ts';
import type { EventType, HistoryEvent } from './event.ts';

/** A history as read from disk. */
export interface ReadHistory {
  readonly events: readonly HistoryEvent[];
  /** False when the file ends before its writer ended it (a killed harness); then the events are those that got there. */
  readonly complete: boolean;
}

const MAX_LINE_CHARS = 4 * 1024 * 1024;
const GZIP_TRAILER_BYTES = 8;

const EVENT_TYPES = {
  drill: true,
  phase: true,
  'run.due': true,
  'run.handed': true,
  'effect.arrived': true,
  'effect.landed': true,
  'effect.failed': true,
  'effect.closed': true,
  'effect.unattributed': true,
  'flip.requested': true,
  'flip.answered': true,
  'flip.durable': true,
  'fault.selected': true,
  'fault.injected': true,
  'fault.observed': true,
  'fault.recovered': true,
  'conductor.gaveUp': true,
  exposure: true,
  'worker.spawned': true,
  'worker.ready': true,
  'worker.said': true,
  'worker.exited': true,
  'loop.lag': true,
  'store.head': true,
  'store.life': true,
  'store.flip': true,
  'store.intent': true,
  'store.task': true,
  'store.taskChange': true,
  'store.ledger': true,
  'store.mutant': true,
  'alert.published': true,
  'alert.acknowledged': true,
  'executor.spawned': true,
  'executor.ready': true,
  'executor.said': true,
  'executor.exited': true,
  'api.spawned': true,
  'api.ready': true,
  'api.said': true,
  'api.exited': true,
  'store.alert': true,
  'store.alertPosition': true,
  'bus.deadLetter': true,
  'operator.asked': true,
  'operator.answered': true,
  'run.spawned': true,
  'probe.planted': true,
  'forgery.sent': true,
  'forgery.answered': true,
  'runaway.loose': true,
  'stop.observed': true,
  'lever.status': true,
  'worker.lastWords': true,
  'worker.forced': true,
  'worker.leftBehind': true,
} as const satisfies Record<EventType, true>;

/**
 * Reads a history. A missing tail is taken as it is and said (`complete: false`); anything else that is wrong is an error.
 *
 * @throws KilldrillError `HISTORY_UNREADABLE` naming the line: no JSON, another version, an unknown type, a wrong stamp,
 * a gap in `seq`; or the file: not there, no gzip, damaged.
 */
export async function readHistory(file: string): Promise<ReadHistory> {
  const lines = new EventLines(file);
  const decoder = new StringDecoder('utf8');
  let crc = 0;
  let size = 0;
  try {
    for await (const chunk of decompressed(file)) {
      crc = crc32(chunk, crc);
      size += chunk.length;
      lines.push(decoder.write(chunk));
    }
  } catch (cause) {
    if (cause instanceof KilldrillError) throw cause;
    throw unreadable(file, `it cannot be decompressed after line ${lines.line}: ${messageOf(cause)}`, cause);
  }
  const complete = await endsWithTrailer(file, crc, size);
  if (complete) lines.end();
  return { events: withWholeFlips(lines.events), complete };
}

async function* decompressed(file: string): AsyncGenerator<Buffer> {
  const source = createReadStream(file);
  // With a sync flush at its end, gunzip yields everything that a truncated file still holds instead of an error.
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  source.on('error', (error) => gunzip.destroy(error));
  try {
    yield* source.pipe(gunzip);
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

/** Whether the file ends with the gzip trailer of what was read from it: its writer came to the end. */
async function endsWithTrailer(file: string, crc: number, size: number): Promise<boolean> {
  const handle = await open(file);
  try {
    const { size: fileSize } = await handle.stat();
    if (fileSize <= GZIP_TRAILER_BYTES) return false;
    const trailer = Buffer.alloc(GZIP_TRAILER_BYTES);
    await handle.read(trailer, 0, GZIP_TRAILER_BYTES, fileSize - GZIP_TRAILER_BYTES);
    return trailer.readUInt32LE(0) === crc && trailer.readUInt32LE(4) === size % 2 ** 32;
  } finally {
    await handle.close();
  }
}

/** Cuts text into lines and lines into events. */
class EventLines {
  readonly events: HistoryEvent[] = [];
  /** Lines read so far. */
  line = 0;
  readonly #file: string;
  #rest = '';

  constructor(file: string) {
    this.#file = file;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
    if (this.#rest.length > MAX_LINE_CHARS)
      this.#wrong(this.line + 1, `it is longer than ${MAX_LINE_CHARS} characters`);
  }

  end(): void {
    if (this.#rest !== '') this.#wrong(this.line + 1, 'it does not end with a newline');
  }

  #take(text: string): void {
    this.line += 1;
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      this.#wrong(this.line, `it is no JSON: ${text.slice(0, 80)}`);
    }
    const wrong = whatIsWrong(json, this.line);
    if (wrong !== null) this.#wrong(this.line, wrong);
    // Type and stamp were looked at; the rest is trusted, because the history's writer is this program.
    this.events.push(json as HistoryEvent);
  }

  #wrong(line: number, what: string): never {
    throw unreadable(this.#file, `line ${line}: ${what}`);
  }
}

function whatIsWrong(json: unknown, expectedSeq: number): string | null {
  if (typeof json !== 'object' || json === null) return 'it is no JSON object';
  const { v, seq, type, clock, t0, t1 } = json as Readonly<Record<string, unknown>>;
  if (v !== HISTORY_VERSION) return `its version is ${String(v)}, this killdrill reads version ${HISTORY_VERSION}`;
  if (seq !== expectedSeq)
    return `its seq is ${String(seq)} where ${expectedSeq} was expected; events are missing or moved`;
  if (typeof type !== 'string' || !Object.hasOwn(EVENT_TYPES, type)) return `its type '${String(type)}' is unknown`;
  if (clock !== 'mono' && clock !== 'store') return `its clock '${String(clock)}' is neither mono nor store`;
  if (typeof t0 !== 'number' || typeof t1 !== 'number' || !(t0 <= t1)) {
    return `its interval [${String(t0)}, ${String(t1)}] is none`;
  }
  return null;
}

function unreadable(file: string, what: string, cause?: unknown): KilldrillError {
  return new KilldrillError('HISTORY_UNREADABLE', `the history ${file} cannot be read: ${what}`, { cause });
}
