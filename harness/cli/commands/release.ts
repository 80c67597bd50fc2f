import { randomUUID } from 'node:crypto';
import { engagementsOn, release as releaseEngagements } from '../../../src/control/release.ts';
import type { OpenEngagement } from '../../../src/store/store.ts';
import { GLOBAL_TARGET } from '../../../src/switch.ts';
import type { Switch } from '../../../src/switch.ts';
import { table } from '../../report/table.ts';
import { printable } from '../../report/wrap.ts';
import { confirmed } from '../confirm.ts';
import { EXIT } from '../exit.ts';
import { publicKeys, signingOf } from '../flip-keys.ts';
import type { SigningFlags } from '../flip-keys.ts';
import { askerName, reasonOf, withOperator } from '../operator-connection.ts';
import type { AskerFlags, OperatorConnection, StoreFlags } from '../operator-connection.ts';
import { data, note } from '../output.ts';
import { isScope } from '../switch-words.ts';
import { usage } from '../usage.ts';
import { vouchAfterRelease } from '../vouch-after-release.ts';

export interface ReleaseFlags extends StoreFlags, AskerFlags, SigningFlags {
  readonly again?: boolean;
  readonly evenIfRed?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `killdrill release`: closes the engagements that are named, all or none; without names it lists what is open. */
export async function release(names: readonly string[], flags: ReleaseFlags): Promise<number> {
  const on = switchIn(names);
  return withOperator(flags, async (connection) => {
    const open = await connection.flips.openEngagements();
    if (names.length === 0) return list(open, flags.json === true);
    return close(connection, on === null ? names : idsOn(on, open), flags);
  });
}

/** `tenant acme` names a switch; anything else is ids. */
function switchIn([scope, target, ...others]: readonly string[]): Switch | null {
  if (!isScope(scope)) return null;
  if (scope === 'global' && (target ?? GLOBAL_TARGET) === GLOBAL_TARGET) return { scope, target: GLOBAL_TARGET };
  if (target === undefined || others.length > 0 || scope === 'global') {
    throw usage(`'${scope}' is a scope; expected one target after it, or ids of engagements`);
  }
  return { scope, target };
}

/** The client expands the switch, into what it saw, so that a stop which nobody has seen stays. */
function idsOn(on: Switch, open: readonly OpenEngagement[]): readonly string[] {
  const there = engagementsOn(open, on);
  if (there.length === 0) {
    const others = [...new Set(open.map(({ flip }) => `${flip.scope}:${flip.target}`))].join(', ');
    throw usage(printable(`nothing is open on ${on.scope}:${on.target}; open: ${others === '' ? 'nothing' : others}`));
  }
  for (const one of there) note(`releases ${oneLine(one)}`);
  return there.map(({ flip }) => flip.id);
}

async function close(
  { flips, audit, namespace }: OperatorConnection,
  engagements: readonly string[],
  flags: ReleaseFlags,
): Promise<number> {
  const signing = signingOf(flags);
  const reason = reasonOf(flags);
  if (flags.yes !== true) await confirmed(releaseQuestion(engagements, namespace), 'release');
  const request = {
    namespace,
    engagements,
    by: askerName(flags),
    source: 'killdrill release',
    reason,
    again: flags.again === true,
  };
  const { answer, closed } = await releaseEngagements(
    { store: flips, newId: randomUUID, sign: signing?.sign ?? null, keys: publicKeys() },
    flags.evenIfRed === undefined ? request : { ...request, evenIfRed: flags.evenIfRed },
  );
  if (signing !== null)
    await vouchAfterRelease({ store: audit, namespace, ...signing }, (sentence) => note(printable(sentence)));
  const { revision } = answer.record;
  const ids = flags.again === true ? engagements : closed.map(({ flip }) => flip.id);
  if (flags.json === true) data(JSON.stringify({ namespace, revision, engagements: ids }));
  else data(printable(`released at revision ${revision}: ${ids.join(', ')}`));
  return EXIT.pass;
}

function releaseQuestion(engagements: readonly string[], namespace: string): string {
  return `This closes ${engagements.length} engagements in namespace '${namespace}': what they stop goes on.`;
}

function list(open: readonly OpenEngagement[], json: boolean): number {
  if (json) data(JSON.stringify(open, null, 2));
  else if (open.length === 0) data('nothing is stopped');
  else data(openTable(open));
  return EXIT.pass;
}

/** Within 80 columns; an id stands in one piece, since it is copied from here. */
function openTable(open: readonly OpenEngagement[]): string {
  const rows = open.map(({ revision, flip }) => [
    flip.id,
    `${flip.scope}:${flip.target} ${flip.kind === 'stop' ? `${flip.mode} ${flip.queue}` : ''}`.trim(),
    `${flip.triggeredBy}: ${flip.reason} (revision ${revision}, ${flip.at.replace(/\.\d+/, '')})`,
  ]);
  return table(
    [
      { title: 'engagement', width: 36 },
      { title: 'stop', width: 12 },
      { title: 'by', width: 22 },
    ],
    rows,
    { isCompact: false },
  );
}

function oneLine({ flip }: OpenEngagement): string {
  const mode = flip.kind === 'stop' ? ` ${flip.mode}` : '';
  return printable(`${flip.id} (${flip.scope}:${flip.target}${mode}, ${flip.triggeredBy}, ${flip.at}: ${flip.reason})`);
}
