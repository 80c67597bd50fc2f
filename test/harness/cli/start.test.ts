import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const IMPORT = /^(?:import|export) (?!type\b)[^;]*?from '([^']+)';|^import '([^']+)';/gmu;

/** Packages that a file of the project loads before anything of it runs; what it imports later by itself is not among them. */
function loadedBy(file: string): readonly string[] {
  const files = new Set([new URL(`../../../${file}`, import.meta.url).href]);
  const packages = new Set<string>();
  for (const url of files) {
    for (const [, from, bare] of readFileSync(new URL(url), 'utf8').matchAll(IMPORT)) {
      const name = from ?? bare ?? '';
      if (name.startsWith('.')) files.add(new URL(name, url).href);
      else if (!name.startsWith('node:')) packages.add(name);
    }
  }
  return [...packages].sort();
}

describe('the command', () => {
  it('loads nothing but its own words before it knows which one is meant', () => {
    expect(loadedBy('harness/cli/main.ts')).toEqual(['commander']);
  });

  it.each(['halt', 'release', 'status'])('%s loads nothing that only drills or servers need', (name) => {
    expect(loadedBy(`harness/cli/commands/${name}.ts`)).toEqual(['cli-table3', 'pg', 'zod']);
  });

  it('that drills does load it, as this looks deep enough to see', () => {
    expect(loadedBy('harness/cli/commands/run.ts')).toContain('@faker-js/faker');
  });
});
