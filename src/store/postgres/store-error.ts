import { KilldrillError, messageOf } from '../../errors.ts';

/** SQLSTATE with which killdrill's own functions refuse; the error's detail is then the `code`. */
export const REFUSED = 'KD000';
const LOCK_NOT_AVAILABLE = '55P03';

/** SQLSTATEs, or classes of them, that say how the store is rather than what was wrong with the question. */
const MEANINGS: readonly (readonly [sqlState: RegExp, code: string, mend: string])[] = [
  [/^55P03$/, 'STORE_BUSY', 'another transaction holds the lock that was waited for; try again'],
  [/^(25006)$/, 'STORE_NOT_PRIMARY', 'the server takes no writes; point the connection at the primary'],
  [/^(08|57P|57014|53|58)/, 'STORE_UNREACHABLE', 'the server ended or refused the work; see its log'],
  [/^28/, 'STORE_UNREACHABLE', 'check user and password of the connection'],
  [/^3D/, 'STORE_UNREACHABLE', 'check the database name of the connection'],
  [/^42501$/, 'STORE_FORBIDDEN', 'the login role needs membership of killdrill_worker or killdrill_flipper'],
  [/^(42883|3F000|42P01)$/, 'SCHEMA_VERSION', 'the database is not prepared for this version; run `killdrill migrate`'],
  [/^23505$/, 'INTENT_REPEATED', 'nothing was admitted; a number names one intent of its incarnation for ever'],
  [/^22/, 'STORE_VALUE', 'a value cannot be stored; strings may not hold the character U+0000'],
];

/** Reads whatever `pg` threw. Anything without a SQLSTATE happened to the connection: nobody knows what became of the call. */
export function storeError(operation: string, thrown: unknown): KilldrillError {
  if (thrown instanceof KilldrillError) return thrown;
  const sqlState = sqlStateOf(thrown);
  const found = messageOf(thrown) || String(thrown);
  if (sqlState === null) {
    return new KilldrillError('STORE_UNREACHABLE', `${operation}: no answer from PostgreSQL (${found}); is it up?`, {
      cause: thrown,
    });
  }
  if (sqlState === REFUSED) return new KilldrillError(detailOf(thrown), found, { cause: thrown });
  const meaning = MEANINGS.find(([pattern]) => pattern.test(sqlState));
  const [, code, mend] = meaning ?? [null, 'STORE_ERROR', 'killdrill does not expect this answer'];
  return new KilldrillError(code, `${operation}: PostgreSQL says '${found}' (SQLSTATE ${sqlState}); ${mend}`, {
    cause: thrown,
  });
}

/** Whether the connection is as good as before: the store answered, and its answer was no. */
export function keepsConnection(thrown: unknown): boolean {
  const sqlState = sqlStateOf(thrown);
  return sqlState === REFUSED || sqlState === LOCK_NOT_AVAILABLE;
}

/** The five-character SQLSTATE of an error of the server; node's own errors have codes of other shapes (`ECONNRESET`). */
export function sqlStateOf(thrown: unknown): string | null {
  if (!(thrown instanceof Error) || !('code' in thrown) || !('severity' in thrown)) return null;
  return typeof thrown.code === 'string' && /^[0-9A-Z]{5}$/.test(thrown.code) ? thrown.code : null;
}

function detailOf(thrown: unknown): string {
  return thrown instanceof Error && 'detail' in thrown && typeof thrown.detail === 'string'
    ? thrown.detail
    : 'STORE_ERROR';
}
