import { KilldrillError } from '../../src/errors.ts';

/** Something wrong with a record of an incident, at a line of its file. */
export function badRecord(file: string, line: number, sentence: string, cause?: unknown): KilldrillError {
  return new KilldrillError('RECORD_UNREADABLE', `${file}:${line}: ${sentence}`, { cause });
}
