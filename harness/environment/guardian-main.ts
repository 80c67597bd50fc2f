/**
 * The guardian's process: `node guardian-main.js <folder>`. It is told things on stdin, a line each: `watch <pid>
 * <start>` and `done`. When stdin ends, however that came about, the drill is over and everything of it is removed.
 */
import { createInterface } from 'node:readline';
import { assertDrillFolder } from './drill-folder.ts';
import { sweep } from './sweep.ts';
import { lookUpProcess } from './process-table.ts';
import type { ProcessId } from './process-table.ts';

const folder = process.argv[2] ?? '';
assertDrillFolder(folder);
const spared = [process.pid, process.ppid].map(lookUpProcess).filter((entry) => entry !== null);
const watched: ProcessId[] = [];
let over = false;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.stdout.on('error', () => undefined); // the harness is dead: there is nobody to tell

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const [word, pid, ...start] = line.split(' ');
  if (word === 'watch') watched.push({ pid: Number(pid), start: start.join(' ') });
  if (word === 'done') void conclude();
});
lines.on('close', () => void conclude());
process.stdin.on('error', () => void conclude());
process.stdout.write('ready\n');

async function conclude(): Promise<void> {
  if (over) return;
  over = true;
  const report = await sweep({ folder, watched, spared });
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
}
