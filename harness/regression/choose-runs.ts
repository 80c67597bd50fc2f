import { KilldrillError } from '../../src/errors.ts';
import { nearest } from '../scenario/nearest.ts';
import { formatDuration } from '../scenario/quantity.ts';
import type { Cell, GateFile, GateProfile } from './gate-file.ts';
import type { Subject } from './gate-subject.ts';

/** What a gate drills, and what of it has to be there. */
export interface ChosenRuns {
  readonly subjects: readonly Subject[];
  readonly coverage: readonly Cell[];
  /** Null when none was asked for. */
  readonly profile: { readonly name: string; readonly withinMs: number | null } | null;
}

/**
 * Takes the part of the kept runs that a profile names, in its order; without a profile all of them.
 *
 * @param path how sentences name the file
 * @throws KilldrillError `GATE_PROFILE` before anything is drilled: a profile that there is not, one that names a run that is
 * not kept, or one whose runs took longer than it may
 */
export function chooseRuns(
  subjects: readonly Subject[],
  { profiles, coverage }: GateFile,
  name: string | null,
  path: string,
): ChosenRuns {
  if (name === null) return { subjects, coverage, profile: null };
  const profile = profiles.get(name);
  if (profile === undefined) throw unknownProfile(name, [...profiles.keys()], path);
  const { withinMs, coverage: own } = profile;
  const chosen = runsOf(subjects, profile, `${path}: profile ${name}`);
  if (withinMs !== null) refuseTooLong(chosen, withinMs, `${path}: profile ${name}`);
  return { subjects: chosen, coverage: own ?? coverage, profile: { name, withinMs } };
}

function runsOf(subjects: readonly Subject[], { runs }: GateProfile, where: string): readonly Subject[] {
  if (runs === null) return subjects;
  const kept = subjects.map((subject) => subject.name);
  return runs.map((run) => {
    const subject = subjects.find((one) => one.name === run);
    if (subject !== undefined) return subject;
    const meant = nearest(run, kept);
    const mend = meant === null ? 'promote it again, or take its name out' : `did you mean '${meant}'?`;
    throw refused(
      `${where} names the run '${run}', which is not kept there; expected some of ${kept.join(', ')}; ${mend}`,
    );
  });
}

/** Nobody has to wait for drills of which it is known that they take too long. */
function refuseTooLong(subjects: readonly Subject[], withinMs: number, where: string): void {
  const lengths = subjects.map((one) => ({ name: one.name, ms: one.kind === 'drillable' ? one.lengthMs : 0 }));
  const sumMs = lengths.reduce((sum, { ms }) => sum + ms, 0);
  if (sumMs <= withinMs) return;
  const [longest] = lengths.toSorted((one, other) => other.ms - one.ms);
  const most = longest === undefined ? '' : `, the longest is ${longest.name} (${formatDuration(longest.ms)})`;
  throw refused(
    `${where} is to be done within ${formatDuration(withinMs)}, and its ${lengths.length} kept runs take ${formatDuration(sumMs)} at least${most}; name fewer in its runs, keep shorter ones, or allow more`,
  );
}

function unknownProfile(name: string, known: readonly string[], path: string): KilldrillError {
  if (known.length === 0)
    return refused(
      `--profile is '${name}', and ${path} has no profiles; add for example: profiles: { ${name}: { within: 90s } }`,
    );
  const meant = nearest(name, known);
  const mend = meant === null ? '' : `; did you mean '${meant}'?`;
  return refused(`--profile is '${name}', which ${path} does not have; expected one of ${known.join(', ')}${mend}`);
}

function refused(sentence: string): KilldrillError {
  return new KilldrillError('GATE_PROFILE', sentence);
}
