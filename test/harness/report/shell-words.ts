import { execFileSync } from 'node:child_process';

/** The words that a shell makes of a command. */
export function wordsOf(command: string): readonly string[] {
  const script = `for word in ${command.replace(/\n$/, '')}\ndo printf '%s\\0' "$word"; done`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
}
