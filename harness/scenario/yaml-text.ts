import { LineCounter, isAlias, isMap, isPair, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Node, YAMLError } from 'yaml';
import { messageOf } from '../../src/errors.ts';
import type { Complaint } from './complaint.ts';
import { LIMITS } from './limits.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Something wrong with the text as YAML, where. */
export interface TextProblem extends Position, Omit<Complaint, 'path' | 'aboutKey'> {}

/** A YAML text that was read: its value, and where things stand in it. */
export interface YamlText {
  readonly value: unknown;
  /** Two keys of one name; the value has the later one. */
  readonly duplicates: readonly TextProblem[];
  /** The place of a value; of the nearest thing around it if it is missing. */
  positionOf(path: Complaint['path'], aboutKey: boolean): Position;
}

const START: Position = { line: 1, column: 1 };

/** Reads one YAML document; anything but text that is too odd to read on comes back as problems. */
export function readYaml(text: string): YamlText | readonly TextProblem[] {
  const size = Buffer.byteLength(text);
  if (size > LIMITS.fileBytes) {
    return [{ ...START, found: `${size} bytes`, expected: `at most ${LIMITS.fileBytes}`, fix: 'is this a scenario?' }];
  }
  const tabs = findTabs(text);
  if (tabs.length > 0) return tabs;
  try {
    return readDocument(text);
  } catch (thrown) {
    // Aliases beyond the bound, or nesting deeper than the stack.
    const [found = 'unreadable YAML'] = messageOf(thrown).split('\n');
    return [
      {
        ...START,
        found: `YAML that cannot be read (${found})`,
        expected: 'a plain map',
        fix: 'remove aliases and deep nesting',
      },
    ];
  }
}

function readDocument(text: string): YamlText | readonly TextProblem[] {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
    stringKeys: true,
  });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problems = document.errors.map((error) => ({ ...at(error.pos[0]), ...describe(error), code: error.code }));
  if (problems.some(({ code }) => code !== 'DUPLICATE_KEY')) return problems;
  return {
    value: document.toJS({ maxAliasCount: LIMITS.aliases }),
    duplicates: problems,
    positionOf: (path, aboutKey) => at(offsetOf(document, path, aboutKey)),
  };
}

function findTabs(text: string): readonly TextProblem[] {
  return text.split('\n').flatMap((line, index) => {
    const column = /^ *(?=\t)/.exec(line)?.[0].length;
    if (column === undefined) return [];
    const fix = 'write two spaces for each level';
    return [{ line: index + 1, column: column + 1, found: 'a tab', expected: 'spaces in front of a line', fix }];
  });
}

function describe(error: YAMLError): Omit<Complaint, 'path' | 'aboutKey'> {
  switch (error.code) {
    case 'DUPLICATE_KEY':
      return { found: 'a key that is there already', expected: 'each key once in a map', fix: 'remove one of the two' };
    case 'MULTIPLE_DOCS':
      return {
        found: 'a second document',
        expected: 'one document a file',
        fix: 'put each drill into a file of its own',
      };
    default: {
      const [sentence = ''] = error.message.split('\n');
      return {
        found: `broken YAML (${sentence})`,
        expected: 'valid YAML',
        fix: 'look at this line and the one before',
      };
    }
  }
}

/** Follows the path as far as it goes, and says where that stands. */
function offsetOf(document: Document, path: Complaint['path'], aboutKey: boolean): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, step] of path.entries()) {
    const inside: unknown = isAlias(node) ? node.resolve(document) : node;
    const pair = isMap(inside)
      ? inside.items.findLast((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step))
      : undefined;
    const next: unknown = isSeq(inside) ? inside.items[Number(step)] : pair?.value;
    if (pair === undefined && next === undefined) break;
    const keyStart = startOf(pair?.key);
    const wantsKey = aboutKey && depth === path.length - 1;
    offset = (wantsKey ? keyStart : (startOf(next) ?? keyStart)) ?? offset;
    node = next;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
