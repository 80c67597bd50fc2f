/**
 * A harness that is there to be killed: `tsx guarded-harness.ts <folder>` starts what a drill starts, in a drill's
 * order, says each stage on stdout, and then waits for ever.
 */
import { spawn } from 'node:child_process';
import { DRILL_FOLDER_VARIABLE, makeDrillFolder } from '../../../harness/environment/drill-folder.ts';
import { startEmbeddedPostgres } from '../../../harness/environment/embedded-postgres.ts';
import { startGuardian } from '../../../harness/environment/guardian.ts';

const folder = process.argv[2] ?? '';
const env = { ...process.env, [DRILL_FOLDER_VARIABLE]: folder };

await startGuardian({ folder });
console.log('guarded');
makeDrillFolder(folder);
// a worker, one that has a child, one that is stopped, and one that only its working directory gives away
startWorker(['sleep', '600'], { env });
startWorker(['sh', '-c', 'sleep 600 & wait'], { env });
process.kill(startWorker(['sleep', '600'], { env }), 'SIGSTOP');
startWorker(['sleep', '600'], { cwd: folder });
console.log('workers');
const postgres = await startEmbeddedPostgres({ folder, superuserPassword: 'secret' });
console.log('postgres');
await postgres.pause();
console.log('paused');
setInterval(() => undefined, 1_000);

function startWorker(
  [command = '', ...args]: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string },
): number {
  const { pid } = spawn(command, args, { ...options, detached: true, stdio: 'ignore' });
  if (pid === undefined) throw new Error(`${command} was not started`);
  return pid;
}
