import { readFileSync, statSync } from 'node:fs';
import type { z } from 'zod';
import type { KilldrillError } from '../../src/errors.ts';
import { messageOf } from '../../src/errors.ts';
import { pathText } from './complaint.ts';
import { LIMITS } from './limits.ts';
import { schemaComplaints } from './schema-complaints.ts';
import { readYaml } from './yaml-text.ts';
import type { TextProblem } from './yaml-text.ts';

interface YamlFileWords {
  /** What the file says, for a sentence. */
  readonly is: string;
  /** A small one that is right. */
  readonly example: string;
  readonly invalid: (sentence: string, options?: { readonly cause: unknown }) => KilldrillError;
}

/**
 * Reads a small YAML file of a schema that is made of the scenario's leaves.
 *
 * @throws what `invalid` makes, with a line for everything that is wrong: file, line, column, found, expected, fix
 */
export function readYamlFile<T extends z.ZodType>(path: string, schema: T, words: YamlFileWords): z.output<T> {
  const yaml = readYaml(readText(path, words));
  if (!('value' in yaml)) throw words.invalid(yaml.map((problem) => line(path, '', problem)).join('\n'));
  const value = yaml.value ?? {};
  const complaints = schemaComplaints(schema, value).map((complaint) => {
    const position = yaml.positionOf(complaint.path, complaint.aboutKey ?? false);
    return line(path, pathText(complaint.path), { ...position, ...complaint });
  });
  const duplicates = yaml.duplicates.map((problem) => line(path, '', problem));
  if (duplicates.length + complaints.length > 0) throw words.invalid([...duplicates, ...complaints].join('\n'));
  return schema.parse(value);
}

function readText(path: string, { is, example, invalid }: YamlFileWords): string {
  try {
    const facts = statSync(path);
    // A pipe or a device may never end.
    if (!facts.isFile()) throw new Error('it is no ordinary file');
    if (facts.size > LIMITS.fileBytes)
      throw new Error(`it has ${facts.size} bytes, over the ${LIMITS.fileBytes} allowed`);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    const sentence = `${path}: ${is} cannot be read (${messageOf(cause)}); expected a YAML file such as ${example}`;
    throw invalid(sentence, { cause });
  }
}

function line(file: string, where: string, { line: number, column, found, expected, fix }: TextProblem): string {
  const subject = where === '' ? '' : `${where}: `;
  return `${file}:${number}:${column}: ${subject}found ${found}, expected ${expected}; ${fix}`;
}
