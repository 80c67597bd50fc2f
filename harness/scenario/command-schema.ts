import { list, map, text } from './leaf.ts';
import { LIMITS } from './limits.ts';
import { LINE } from './line.ts';

const word = text(LINE, { min: 1, max: LIMITS.textLength }, 'one word of a command', 'node');

/** What starts one worker of a fleet (the fleet contract), as words: no shell reads it. */
export const commandSchema = list(word, { min: 1, max: LIMITS.commandWords }, 'words', '[node, worker.js]');

/** The fleet that a file beside scenarios names: the one that its own drills start. */
export const fleetSchema = map({ command: commandSchema }, '{ command: [node, worker.js] }');
