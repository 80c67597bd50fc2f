import { readFileSync, statSync } from 'node:fs';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import type { CriticalRules } from '../../src/store/store.ts';
import { pathText } from '../scenario/complaint.ts';
import { criticalSchema } from '../scenario/critical-schema.ts';
import { LIMITS } from '../scenario/limits.ts';
import { isSelector } from '../scenario/selectors.ts';
import { schemaComplaints } from '../scenario/schema-complaints.ts';
import { readYaml } from '../scenario/yaml-text.ts';
import type { TextProblem } from '../scenario/yaml-text.ts';

/**
 * Reads what the operator declares critical, in the words of a scenario's `fleet.critical`. Classes keep the file's order:
 * a task is of the first that covers it.
 *
 * @throws KilldrillError `CRITICAL_RULES_INVALID` with a line for everything that is wrong
 */
export function readCriticalFile(path: string): CriticalRules {
  const yaml = readYaml(readText(path));
  if (!('value' in yaml)) throw invalid(yaml.map((problem) => line(path, '', problem)));
  const value = yaml.value ?? {};
  const complaints = schemaComplaints(criticalSchema, value).map((complaint) =>
    line(path, pathText(complaint.path), {
      ...yaml.positionOf(complaint.path, complaint.aboutKey ?? false),
      ...complaint,
    }),
  );
  const duplicates = yaml.duplicates.map((problem) => line(path, '', problem));
  if (duplicates.length + complaints.length > 0) throw invalid([...duplicates, ...complaints]);
  const { capabilities, classes } = criticalSchema.parse(value);
  const rows = Object.entries(classes).flatMap(([name, switches]) => switches.map((on) => ({ name, ...on })));
  const selectors = [...capabilities, ...rows.map(({ target }) => target)].filter(isSelector);
  if (selectors.length > 0) {
    throw invalid([
      `${path}: ${selectors.join(', ')} is found out by a drill and means nothing here; name what you mean`,
    ]);
  }
  return { capabilities, classes: rows };
}

function readText(path: string): string {
  try {
    const facts = statSync(path);
    // A pipe or a device may never end.
    if (!facts.isFile()) throw new Error('it is no ordinary file');
    if (facts.size > LIMITS.fileBytes)
      throw new Error(`it has ${facts.size} bytes, over the ${LIMITS.fileBytes} allowed`);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    const sentence = `${path}: the critical rules cannot be read (${messageOf(cause)}); expected a YAML file such as { capabilities: [read/crm], classes: { money: ['feature:billing'] } }`;
    throw new KilldrillError('CRITICAL_RULES_INVALID', sentence, { cause });
  }
}

function line(file: string, where: string, { line: number, column, found, expected, fix }: TextProblem): string {
  const subject = where === '' ? '' : `${where}: `;
  return `${file}:${number}:${column}: ${subject}found ${found}, expected ${expected}; ${fix}`;
}

function invalid(lines: readonly string[]): KilldrillError {
  return new KilldrillError('CRITICAL_RULES_INVALID', lines.join('\n'));
}
