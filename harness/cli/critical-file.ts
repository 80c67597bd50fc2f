import { KilldrillError } from '../../src/errors.ts';
import type { CriticalRules } from '../../src/store/store.ts';
import { criticalSchema } from '../scenario/critical-schema.ts';
import { isSelector } from '../scenario/selectors.ts';
import { readYamlFile } from '../scenario/yaml-file.ts';

/**
 * Reads what the operator declares critical, in the words of a scenario's `fleet.critical`. Classes keep the file's order:
 * a task is of the first that covers it.
 *
 * @throws KilldrillError `CRITICAL_RULES_INVALID` with a line for everything that is wrong
 */
export function readCriticalFile(path: string): CriticalRules {
  const { capabilities, classes } = readYamlFile(path, criticalSchema, {
    is: 'the critical rules',
    example: "{ capabilities: [read/crm], classes: { money: ['feature:billing'] } }",
    invalid,
  });
  const rows = Object.entries(classes).flatMap(([name, switches]) => switches.map((on) => ({ name, ...on })));
  const selectors = [...capabilities, ...rows.map(({ target }) => target)].filter(isSelector);
  if (selectors.length > 0) {
    throw invalid(
      `${path}: ${selectors.join(', ')} is found out by a drill and means nothing here; name what you mean`,
    );
  }
  return { capabilities, classes: rows };
}

function invalid(sentence: string, options?: { readonly cause: unknown }): KilldrillError {
  return new KilldrillError('CRITICAL_RULES_INVALID', sentence, options);
}
