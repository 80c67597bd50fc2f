import { writeSync } from 'node:fs';

/** Data goes to stdout, all of it before the process ends, also into a pipe. */
export function data(text: string): void {
  write(1, text.endsWith('\n') ? text : `${text}\n`);
}

/** Progress and errors go to stderr. */
export function note(text: string): void {
  write(2, `${text}\n`);
}

const BLINK = new Int32Array(new SharedArrayBuffer(4));

/** A reader that went away (`| head`) ends the writing, not the process. */
function write(fd: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(BLINK, 0, 0, 5); // a full pipe of a reader that is slow
    }
  }
}

/** Whether output to this stream may have colour: a terminal, and nobody said NO_COLOR. */
export function mayColour(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
}
