import { KilldrillError } from '../errors.ts';
import { parseFlip } from '../flip-text.ts';
import type { FlipStore } from '../store/store.ts';
import type { HaltPath, PathTook } from './halt-paths.ts';

/** The path straight to the store, with the right to flip; what it takes is durable. */
export function haltByStore(name: string, store: FlipStore): HaltPath {
  return {
    name,
    take: async (text, signature) => {
      try {
        const { record } = await store.flip(text, signature);
        return { kind: 'durable', revision: record.revision };
      } catch (thrown) {
        if (thrown instanceof KilldrillError && thrown.code === 'FLIP_ID_REUSED') return stored(store, text, thrown);
        throw thrown;
      }
    },
  };
}

/**
 * An executor was quicker: it made a stop of the alert that carries this flip's id, in its own words. Nobody else can know
 * the id, so that the same switch under it is our stop.
 */
async function stored(store: FlipStore, text: string, refused: KilldrillError): Promise<PathTook> {
  const ours = parseFlip(text);
  const open = await store.openEngagements();
  const same = open.find(({ flip }) => flip.id === ours.id);
  if (same?.flip.scope !== ours.scope || same.flip.target !== ours.target) throw refused;
  return { kind: 'durable', revision: same.revision };
}
