import pg from 'pg';
import { KilldrillError } from '../../errors.ts';
import type { FlipRecord, LoadAnswer, ReleaseProof, WantedProof } from '../store.ts';
import type { ResolvedStoreOptions } from './options.ts';
import type { Ask, Session } from './session.ts';
import { keepsConnection } from './store-error.ts';

/** Rows of one fetch: about a megabyte, so that each is answered within the time of a statement on any network. */
const PAGE = 2_000;
const FETCH = `fetch ${PAGE} from killdrill_load`;

type Begun = Omit<LoadAnswer, 'open' | 'released'> & { readonly released: ReleaseProof | null };

/**
 * Everything that is open, and the head, read in one snapshot however much it is: a cursor in one transaction, page by page.
 *
 * Each statement is bounded; nothing bounds how many pages there are, and until the last of them nobody has a load.
 */
export function readLoad(
  session: Session,
  { namespace, schema }: Pick<ResolvedStoreOptions, 'namespace' | 'schema'>,
  proof: WantedProof,
): Promise<LoadAnswer> {
  return session.use('load', async (ask) => {
    await ask('begin');
    try {
      const answer = await readAll(ask, `${pg.escapeIdentifier(schema)}.begin_load`, namespace, proof);
      await ask('commit');
      return answer;
    } catch (thrown) {
      if (keepsConnection(thrown)) await ask('rollback');
      throw thrown;
    }
  });
}

async function readAll(ask: Ask, begin: string, namespace: string, proof: WantedProof): Promise<LoadAnswer> {
  const [first] = await ask(`select ${begin}($1, $2) as answer`, [namespace, proof]);
  if (first === undefined) throw new KilldrillError('STORE_ERROR', 'load: the store answered with no row');
  const { released, ...begun } = first['answer'] as Begun;
  const open: FlipRecord[] = [];
  for (let ahead = ask(FETCH); ;) {
    const rows = await ahead;
    // The server is at the next page while this one is read.
    const isLast = rows.length < PAGE;
    if (!isLast) ahead = ask(FETCH);
    open.push(...(rows as unknown as readonly FlipRecord[]));
    if (isLast) break;
  }
  return { ...begun, open, ...(released === null ? {} : { released }) };
}
