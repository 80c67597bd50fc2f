import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { chooseRuns } from '../../../harness/regression/choose-runs.ts';
import { NO_GATE_FILE, readGateFile } from '../../../harness/regression/gate-file.ts';
import type { GateFile, GateProfile } from '../../../harness/regression/gate-file.ts';
import { findSubjects } from '../../../harness/regression/gate-subject.ts';
import type { GateSubject, Subject } from '../../../harness/regression/gate-subject.ts';

const SHIPPED = fileURLToPath(new URL('../../../scenarios/regressions', import.meta.url));
const cell = { scope: 'tenant', mode: 'halt_all', path: 'postgres' } as const;
const other = { ...cell, path: 'file' } as const;

/** Only its name and its length are looked at. */
const lasting = (name: string, lengthMs: number): Subject =>
  ({ kind: 'drillable', name, folder: `kept/${name}`, lengthMs }) as GateSubject;
const kept = [lasting('one', 10_000), lasting('two', 60_000), lasting('three', 20_000)];

function chosen(profile: Partial<GateProfile>, name: string | null = 'pr') {
  const profiles = new Map([['pr', { withinMs: null, runs: null, coverage: null, ...profile }]]);
  const file: GateFile = { ...NO_GATE_FILE, coverage: [cell], profiles };
  return chooseRuns(kept, file, name, 'kept/gate.yaml');
}

describe('chooseRuns', () => {
  it('takes all, and what the file demands, without a profile and with one that says nothing', () => {
    expect(chosen({}, null)).toEqual({ subjects: kept, coverage: [cell], profile: null });
    expect(chosen({})).toEqual({ subjects: kept, coverage: [cell], profile: { name: 'pr', withinMs: null } });
  });

  it('takes what the profile names, in its order, with the coverage that it demands instead', () => {
    const { subjects, coverage } = chosen({ runs: ['three', 'one'], coverage: [other], withinMs: 30_000 });
    expect(subjects.map(({ name }) => name)).toEqual(['three', 'one']);
    expect(coverage).toEqual([other]);
  });

  it('demands the coverage of the file of a profile that has none of its own: drilling less is no way round it', () => {
    expect(chosen({ runs: ['one'] }).coverage).toEqual([cell]);
  });

  it('refuses, before anything is drilled, a profile whose runs cannot fit into its time, and names the longest', () => {
    expect(() => chosen({ withinMs: 89_999 })).toThrow(
      /^kept\/gate\.yaml: profile pr is to be done within 89999ms, and its 3 kept runs take 90s at least, the longest is two \(1m\); name fewer/,
    );
    expect(chosen({ withinMs: 90_000 }).subjects).toHaveLength(3);
  });

  it.each([
    [
      () => chosen({ runs: ['tow'] }),
      /names the run 'tow', which is not kept there; .*one, two, three; did you mean 'two'/,
    ],
    [() => chosen({ runs: ['something-else'] }), /promote it again, or take its name out/],
    [
      () => chosen({}, 'pre'),
      /^--profile is 'pre', which kept\/gate\.yaml does not have; expected one of pr; did you mean 'pr'/,
    ],
    [
      () => chooseRuns(kept, NO_GATE_FILE, 'pr', 'gate.yaml'),
      /gate\.yaml has no profiles; add for example: profiles: \{ pr: /,
    ],
  ])('says of a profile that cannot be what is wrong and how to mend it (%#)', (choose, sentence) => {
    expect(choose).toThrow(sentence);
    expect(choose).toThrow(expect.objectContaining({ code: 'GATE_PROFILE' }) as Error);
  });

  it('finds both profiles of the runs that killdrill keeps: one for every change, and all for the night', async () => {
    const { subjects } = await findSubjects(SHIPPED);
    const file = readGateFile(`${SHIPPED}/gate.yaml`);
    const pr = chooseRuns(subjects, file, 'pr', 'gate.yaml');
    expect(pr.profile).toEqual({ name: 'pr', withinMs: 90_000 });
    expect(new Set(pr.coverage.map(({ path }) => path))).toEqual(new Set(['postgres', 'alert', 'file']));
    expect(chooseRuns(subjects, file, 'nightly', 'gate.yaml')).toMatchObject({ subjects, coverage: file.coverage });
  });
});
