import { parseFlip } from '../flip-text.ts';
import { haltByFile } from '../propagation/halt-by-file.ts';
import type { HaltPath, PathTook } from './halt-paths.ts';

/**
 * The path that needs no server: whoever watches the state file enforces the stop, and brings it to the store once that is
 * there again. Never durable by itself, and nobody can tell from here who watches.
 */
export function haltByStateFile(name: string, path: string): HaltPath {
  const take = async (text: string, signature: string | null): Promise<PathTook> => {
    const flip = parseFlip(text);
    if (flip.kind !== 'stop') throw new TypeError('a release does not go by a file');
    const { keptAt, hasStateFile } = await haltByFile(path, flip, signature === null ? null : () => signature);
    const doubt = hasStateFile ? '' : `; there is no state file ${path}, so that perhaps nobody watches`;
    return { kind: 'provisional', resident: false, says: `lies at ${keptAt}, for all that watch ${path}${doubt}` };
  };
  return { name, take };
}
