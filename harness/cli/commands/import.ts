import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { KilldrillError } from '../../../src/errors.ts';
import { importIncident } from '../../import/import-incident.ts';
import type { IncidentFiles } from '../../import/import-incident.ts';
import { importPage, importSummary } from '../../import/import-page.ts';
import { readMapping } from '../../import/mapping.ts';
import type { EffectMapping } from '../../import/mapping-schema.ts';
import type { RecordFile } from '../../import/read-rows.ts';
import { refuseExisting, writeIncident } from '../../import/write-incident.ts';
import { shellWord } from '../../report/shell-command.ts';
import { wrap } from '../../report/wrap.ts';
import { EXIT } from '../exit.ts';
import { data, note } from '../output.ts';
import { usage } from '../usage.ts';

export interface ImportFlags {
  readonly flips: string;
  readonly alerts?: string;
  readonly effects?: string;
  readonly spans?: string;
  readonly mapping: string;
  readonly out: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const WIDTH = 80;
const SALT_BYTES = 16;

/** `killdrill import`: an incident's records become a scenario with its trace, and a page of what they did not say. */
export async function importRecords(flags: ImportFlags): Promise<number> {
  const files = filesOf(flags);
  await refuseExisting(flags.out);
  if (flags.quiet !== true) note('reading the records: once for their clocks, once for what is kept');
  const incident = await importIncident(files);
  await writeIncident(flags.out, incident);
  const scenarioFile = join(flags.out, 'scenario.yaml');
  const { findings } = incident;
  if (flags.json === true)
    data(JSON.stringify({ scenario: scenarioFile, ...importSummary(incident), findings }, null, 2));
  else
    data(
      `${importPage(incident, (line) => wrap(line, WIDTH).join('\n'))}\nRun it: killdrill run ${shellWord(scenarioFile)}\n`,
    );
  if (flags.quiet !== true) note(`peak memory: ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
  return EXIT.pass;
}

/** @throws KilldrillError `USAGE` when what the mapping says and what is given do not go together. */
function filesOf(flags: ImportFlags): IncidentFiles {
  const mapping = readMapping(flags.mapping);
  const effects = [
    effectsFile('effects', flags.effects, mapping.effects, false),
    effectsFile('spans', flags.spans, mapping.spans, true),
  ].filter((file) => file !== null);
  if (effects.length === 0) throw usage('neither --effects nor --spans is given; expected what the fleet did');
  if (effects.length > 1 && effects.some(({ mapping: { id } }) => id === undefined)) {
    const sentence = `${flags.mapping}: effects and spans are both given; expected an id in both, or what both have would count twice`;
    throw new KilldrillError('MAPPING_INVALID', sentence);
  }
  const { alerts } = flags;
  if (alerts !== undefined && mapping.alerts === undefined) throw unmapped('alerts');
  return {
    mapping,
    flips: { path: flags.flips, name: flags.flips, mapping: mapping.flips, isSpans: false },
    alerts:
      alerts === undefined || mapping.alerts === undefined
        ? null
        : { path: alerts, name: alerts, mapping: mapping.alerts, isSpans: false },
    effects,
    salt: randomBytes(SALT_BYTES).toString('hex'),
  };
}

function effectsFile(
  flag: 'effects' | 'spans',
  path: string | undefined,
  mapping: EffectMapping | undefined,
  isSpans: boolean,
): RecordFile<EffectMapping> | null {
  if (path === undefined) return null;
  if (mapping === undefined) throw unmapped(flag);
  return { path, name: path, mapping, isSpans };
}

function unmapped(what: string): KilldrillError {
  return usage(`--${what} is given, and the mapping has no '${what}': expected which of its columns say what`);
}
