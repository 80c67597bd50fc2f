import { EffectFailedError } from '../../src/call.ts';
import type { CompensationCall } from '../../src/control/compensate.ts';
import type { LedgerEntry } from '../../src/store/store.ts';

/** Takes a compensation to the world as an effect of the run that it mends, over the operator's own channel. */
export function sendCompensation(
  channelUrl: string,
  { run, idempotencyKey: mends }: LedgerEntry,
  capability: string,
): CompensationCall {
  return async ({ signal, idempotencyKey }) => {
    const response = await fetch(`${channelUrl}/effects/${capability}`, {
      method: 'POST',
      headers: { 'x-run': run, 'idempotency-key': idempotencyKey, 'content-type': 'application/json' },
      body: JSON.stringify({ compensates: mends }),
      signal,
    });
    // Read up, so that the connection can be used again and closed in order.
    await response.arrayBuffer();
    if (!response.ok) throw new EffectFailedError(`the world answered ${response.status} to ${capability}`);
  };
}
