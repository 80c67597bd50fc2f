import { readSync, writeSync } from 'node:fs';
import { KillSwitch } from '../../../src/killswitch.ts';

/** A process that stops and releases on one state file until it is killed, and says what it does before and after. */
const [path = '', hmacKey = ''] = process.argv.slice(2);
const say = (what: string, id: string): void => void writeSync(1, `${what} ${id}\n`);
let made = 0;
const newId = (): string => `w${process.pid}-${(made += 1)}`;
const own = new KillSwitch({ path, hmacKey, namespace: 'files', newId });

say('ready', '-');
readSync(0, Buffer.alloc(1)); // until it is told to begin
for (;;) {
  const { id } = await own.engage('a test');
  say('engaged', id);
  await new Promise((resolve) => setTimeout(resolve, 3)); // so that some are killed in between
  say('releasing', id);
  await own.disengage('a test', { engagements: [id] });
  say('released', id);
}
