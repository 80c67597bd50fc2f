import type { Clock } from '../clock.ts';
import { KilldrillError, messageOf } from '../errors.ts';
import { shown } from '../name.ts';
import { within } from '../within.ts';
import type { EmergencyFacts } from './emergency-facts.ts';

/** Somebody who is told of an emergency, after the stop. */
export interface EmergencyHook {
  readonly name: string;
  /** `signal` fires when its time is up. It must not block the event loop: that nobody can bound. */
  readonly notify: (facts: EmergencyNews, signal: AbortSignal) => Promise<void>;
}

/** The snapshot's facts, and where it was written; null when it was not. */
export interface EmergencyNews extends EmergencyFacts {
  readonly snapshot: string | null;
}

export interface HookResult {
  readonly name: string;
  readonly ok: boolean;
  readonly error: string | null;
}

/** Tells every hook at once, each for at most `boundMs`. One that throws, or never answers, hurts no other. */
export function tellHooks(
  hooks: readonly EmergencyHook[],
  news: EmergencyNews,
  { clock, boundMs }: { readonly clock: Clock; readonly boundMs: number },
): Promise<readonly HookResult[]> {
  return Promise.all(hooks.map((hook) => tell(hook, news, clock, boundMs)));
}

async function tell(hook: EmergencyHook, news: EmergencyNews, clock: Clock, boundMs: number): Promise<HookResult> {
  const controller = new AbortController();
  const { name } = hook;
  const late = (): Error => new KilldrillError('HOOK_LATE', `it did not end within ${boundMs} ms`);
  try {
    // A copy for each: what one does to its facts, the next does not see.
    const told = (async () => hook.notify(structuredClone(news), controller.signal))();
    await within(clock, boundMs, told, late);
    return { name, ok: true, error: null };
  } catch (error) {
    controller.abort(error);
    return { name, ok: false, error: messageOf(error).slice(0, 300) };
  }
}

/**
 * A hook that POSTs the facts as JSON; any answer but 2xx is an error, and no redirect is followed. It is named after its
 * host only, since the path of such an address is often a secret.
 *
 * @throws KilldrillError `HOOK_INVALID` for what is no http or https URL, or has credentials in front of its host.
 */
export function webhookHook(url: string): EmergencyHook {
  const address = URL.canParse(url) ? new URL(url) : null;
  if (address === null || !/^https?:$/.test(address.protocol)) {
    throw new KilldrillError(
      'HOOK_INVALID',
      `a webhook's address is '${shown(url)}'; expected an http or https URL such as 'https://example.org/hook'`,
    );
  }
  // It could never be sent to, and the refusal of `fetch` holds the whole address.
  if (address.username !== '' || address.password !== '') {
    throw new KilldrillError(
      'HOOK_INVALID',
      `the address of webhook ${address.host} has a name or a password before its host; expected none`,
    );
  }
  return {
    name: `webhook ${address.host}`,
    notify: async (facts, signal) => {
      const answer = await fetch(address, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(facts),
        redirect: 'error',
        signal,
      });
      await answer.body?.cancel();
      if (!answer.ok) throw new KilldrillError('HOOK_REFUSED', `${address.host} answered ${answer.status}`);
    },
  };
}
