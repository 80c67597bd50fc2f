import type { JournalSource } from '../journal-port.ts';
import type { Opened } from './flip-source.ts';
import { resolveStoreOptions } from './options.ts';
import type { StoreOptions } from './options.ts';
import { Session } from './session.ts';

/** The journal as it grows, on a connection of its own; its login role needs `killdrill_flipper`. */
export function openJournalSource(options: StoreOptions): Opened<JournalSource> {
  const resolved = resolveStoreOptions(options);
  const { namespace } = resolved;
  const session = new Session('journal', resolved);
  return {
    page: (places, limit) => {
      const incarnations = places?.map(({ incarnation }) => incarnation) ?? null;
      const seqs = places?.map(({ seq }) => seq) ?? null;
      return session.call('journal_page', [namespace, incarnations, seqs, limit]);
    },
    close: () => session.close(),
  };
}
