import type { AuditSummary } from '../../../src/control/audit.ts';
import { verifyAudit } from '../../../src/control/verify-audit.ts';
import { vouchForHead } from '../../../src/control/vouch-for-head.ts';
import { signHead } from '../../../src/head-signature.ts';
import { openAuditStore } from '../../../src/store/postgres/audit-store.ts';
import type { AuditStore } from '../../../src/store/audit-port.ts';
import { printable } from '../../report/wrap.ts';
import { EXIT } from '../exit.ts';
import { publicKeys, signingOf } from '../flip-keys.ts';
import type { Signing, SigningFlags } from '../flip-keys.ts';
import { databaseUrl, namespaceOf } from '../operator-connection.ts';
import type { StoreFlags } from '../operator-connection.ts';
import { data, note } from '../output.ts';
import { usage } from '../usage.ts';

export interface AuditFlags extends StoreFlags {
  readonly json?: boolean;
}

export interface SignFlags extends AuditFlags, SigningFlags {
  readonly asItIs?: boolean;
}

const PATIENT = { connectMs: 10_000, statementMs: 20_000, answerMs: 22_000 };

/** `killdrill audit verify`: recomputes the record of flips, its hashes and signatures, and says what is wrong with it. */
export async function auditVerify(flags: AuditFlags): Promise<number> {
  const keys = publicKeys();
  const summary = await withAudit(flags, (store, namespace) => verifyAudit(store, { namespace, keys }));
  if (flags.json === true) data(JSON.stringify({ namespace: namespaceOf(flags), verified: keys !== null, ...summary }));
  else for (const { fault, what } of summary.findings) data(printable(`${fault}: ${what}`));
  say(summary, keys !== null);
  return summary.findings.length === 0 ? EXIT.pass : EXIT.failed;
}

function say({ flips, proven, unsigned, signedThrough, findings, moreFindings }: AuditSummary, hasKeys: boolean): void {
  const found = findings.length + moreFindings;
  note(`${flips} flips; ${hasKeys ? `${proven} proven, ` : ''}${unsigned} unsigned; ${found} findings`);
  if (moreFindings > 0) note(`${moreFindings} of the findings are not listed`);
  if (!hasKeys) note('signatures were not verified: set KILLDRILL_PUBLIC_KEY to have them verified');
  else if (signedThrough === null)
    note("no head is signed, so a missing end would not be seen; 'killdrill audit sign' signs it");
  else note(`the head is signed at revision ${signedThrough}`);
}

/** `killdrill audit sign`: signs where the chain ends, once every release up to there is proven. */
export async function auditSign(flags: SignFlags): Promise<number> {
  const signing = signingOf(flags);
  if (signing === null) throw usage('no key is named; give --key FILE or set KILLDRILL_SIGNING_KEY_FILE');
  return withAudit(flags, async (store, namespace) => {
    const vouched = flags.asItIs === true ? await signAsItIs(store, namespace, signing) : null;
    const answer = vouched ?? (await vouchForHead({ store, namespace, ...signing }));
    if (flags.json === true) data(JSON.stringify({ namespace, ...answer }));
    if (answer.kind === 'disputed') {
      note(
        printable(
          `nothing was signed: no proven release has closed ${answer.engagements.join(', ')}; agents still enforce them, ` +
            "'killdrill release --again' closes them, and --as-it-is vouches for the record as it is",
        ),
      );
      return EXIT.failed;
    }
    if (answer.kind === 'empty') note(`namespace '${namespace}' has no flips yet, so there is nothing to sign`);
    else if (flags.json !== true) data(`signed the head at revision ${answer.head.revision}`);
    return EXIT.pass;
  });
}

/** By decision of whoever holds the key, as for flips that were made before there were keys. */
async function signAsItIs(store: AuditStore, namespace: string, { sign }: Signing) {
  const { head } = await store.page(0, 1);
  if (head.revision === 0) return { kind: 'empty' } as const;
  await store.signHead(signHead(namespace, head, sign));
  return { kind: 'signed', head } as const;
}

async function withAudit<T>(flags: StoreFlags, work: (store: AuditStore, namespace: string) => Promise<T>): Promise<T> {
  const namespace = namespaceOf(flags);
  const store = openAuditStore({ connectionString: databaseUrl(flags), namespace, timings: PATIENT });
  try {
    return await work(store, namespace);
  } finally {
    await store.close();
  }
}
