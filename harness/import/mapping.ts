import { readFileSync } from 'node:fs';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { pathText } from '../scenario/complaint.ts';
import { schemaComplaints } from '../scenario/schema-complaints.ts';
import { readYaml } from '../scenario/yaml-text.ts';
import { mappingSchema } from './mapping-schema.ts';
import type { Mapping } from './mapping-schema.ts';

/**
 * Reads a mapping file.
 *
 * @throws KilldrillError `MAPPING_INVALID` with everything that is wrong, each with its line
 */
export function readMapping(file: string): Mapping {
  const yaml = readYaml(readText(file));
  const problems =
    'value' in yaml
      ? [
          ...yaml.duplicates,
          ...schemaComplaints(mappingSchema, yaml.value).map(({ path, aboutKey = false, ...rest }) => {
            return { ...rest, ...yaml.positionOf(path, aboutKey), where: pathText(path) };
          }),
        ]
      : yaml;
  if (problems.length === 0 && 'value' in yaml) return mappingSchema.parse(yaml.value);
  const lines = problems.map((problem) => {
    const { line, column, found, expected, fix } = problem;
    const where = 'where' in problem && typeof problem.where === 'string' ? `${problem.where}: ` : '';
    return `${file}:${line}:${column}: ${where}found ${found}, expected ${expected}; ${fix}`;
  });
  throw new KilldrillError('MAPPING_INVALID', lines.join('\n'));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const sentence = `${file}: the mapping cannot be read: ${messageOf(cause)}; check the path`;
    throw new KilldrillError('MAPPING_INVALID', sentence, { cause });
  }
}
