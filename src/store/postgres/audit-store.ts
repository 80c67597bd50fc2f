import type { AuditStore } from '../audit-port.ts';
import type { Opened } from './flip-source.ts';
import { readLoad } from './load.ts';
import { resolveStoreOptions } from './options.ts';
import type { StoreOptions } from './options.ts';
import { Session } from './session.ts';

/** The record, for whoever audits it; its login role needs `killdrill_flipper`. */
export function openAuditStore(options: StoreOptions): Opened<AuditStore> {
  const resolved = resolveStoreOptions(options);
  const { namespace } = resolved;
  const session = new Session('audit', resolved);
  const call = <T>(operation: string, ...values: readonly unknown[]): Promise<T> =>
    session.call(operation, [namespace, ...values]);
  return {
    page: (afterRevision, limit) => call('audit_page', afterRevision, limit),
    signedHeads: (afterRevision, limit) => call('audit_heads', afterRevision, limit),
    openIds: (after, limit) => call('audit_open', after, limit),
    proof: (proof) => readLoad(session, resolved, proof),
    signHead: async ({ epoch, revision, hash, signature }) => {
      await call('sign_head', epoch, revision, hash, signature);
    },
    close: () => session.close(),
  };
}
