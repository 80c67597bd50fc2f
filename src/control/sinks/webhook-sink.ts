import { KilldrillError } from '../../errors.ts';
import { shown } from '../../name.ts';
import type { FlipSink } from './flip-sink.ts';
import { flipLine } from './flip-line.ts';

/**
 * POSTs flips as JSON lines (`application/x-ndjson`); any answer but 2xx is an error, and they are sent again. No redirect is
 * followed. It is named after its host only, since the path of such an address is often a secret.
 *
 * @throws KilldrillError `SINK_INVALID` for what is no http or https URL, or has credentials in front of its host.
 */
export function webhookSink(url: string): FlipSink {
  const address = URL.canParse(url) ? new URL(url) : null;
  const isHttp = address !== null && /^https?:$/.test(address.protocol);
  if (!isHttp || address.username !== '' || address.password !== '') {
    const found = isHttp ? `one for ${address.host} with a name or a password before it` : `'${shown(url)}'`;
    const message = `a webhook's address is ${found}; expected an http or https URL such as 'https://example.org/flips'`;
    throw new KilldrillError('SINK_INVALID', message);
  }
  return {
    name: `webhook ${address.host}`,
    async take(flips, signal) {
      const answer = await fetch(address, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: flips.map((flip) => `${flipLine(flip)}\n`).join(''),
        redirect: 'error',
        signal,
      });
      await answer.body?.cancel();
      if (!answer.ok) throw new KilldrillError('SINK_REFUSED', `${address.host} answered ${answer.status}`);
    },
  };
}
