import { resolveReporters } from './reporters.ts';
import type { Reporter } from './reporters.ts';
import { usage } from './usage.ts';

/**
 * The reporters of a command whose stdout is its own: each drill is told as `run` tells it, to files.
 *
 * @param whose how the sentence names the owner of stdout
 * @throws KilldrillError `USAGE`
 */
export function fileReporters(reporter: readonly string[], whose: string): readonly Reporter[] {
  if (reporter.length === 0) return [];
  const reporters = resolveReporters({ reporter });
  const toStdout = reporters.find(({ name, file }) => file === null && name !== 'github');
  if (toStdout === undefined) return reporters;
  throw usage(
    `--reporter ${toStdout.name} would write to stdout, where ${whose} own answer goes; give it a file (name=file)`,
  );
}
