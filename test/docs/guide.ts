import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A fenced block of a page. */
export interface Block {
  readonly language: string;
  /** What stands after the language: the name of the file that it is. */
  readonly name: string;
  readonly text: string;
}

/** Something that a reader of a guide does, in the order of the page. */
export type Deed =
  /** Code blocks with no command between them: one module. */
  | { readonly kind: 'module'; readonly file: string; readonly text: string }
  /** One line of a shell block, and the exit code that its comment tells; 0 where it tells none. */
  | { readonly kind: 'command'; readonly line: string; readonly exitCode: number }
  | { readonly kind: 'file'; readonly name: string; readonly text: string };

const FENCE = /^```(?<language>\w+)(?: (?<name>\S+))?\n(?<text>[^]*?)^```$/gm;

/** The page at a path from the project's root. */
export function readPage(path: string): string {
  return readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
}

export function blocksOf(page: string): readonly Block[] {
  return Array.from(page.matchAll(FENCE), ({ groups = {} }) => ({
    language: groups['language'] ?? '',
    name: groups['name'] ?? '',
    text: groups['text'] ?? '',
  }));
}

/** What a page tells its reader to do; `path` is from the project's root. */
export function deedsOf(path: string): readonly Deed[] {
  const deeds: Deed[] = [];
  for (const { language, name, text } of blocksOf(readPage(path))) {
    const last = deeds.at(-1);
    if (language === 'sh') deeds.push(...commandsOf(text));
    else if (name !== '') deeds.push({ kind: 'file', name, text });
    else if (language !== 'ts') continue;
    else if (last?.kind === 'module') deeds.splice(-1, 1, { ...last, text: `${last.text}\n${text}` });
    else {
      const place = deeds.filter(({ kind }) => kind === 'module').length;
      deeds.push({ kind: 'module', file: `${basename(path, '.md')}-${place}.ts`, text });
    }
  }
  return deeds;
}

/** The lines of a shell block without their comments. */
export function commandsOf(text: string): readonly Extract<Deed, { kind: 'command' }>[] {
  return text.split('\n').flatMap((line) => {
    const [command = '', comment = ''] = line.split(/\s+# |^# /);
    const told = /^exit (?<code>\d+)\b/.exec(comment)?.groups?.['code'];
    return command.trim() === '' ? [] : [{ kind: 'command', line: command, exitCode: Number(told ?? 0) }];
  });
}
