import { describe, expect, it } from 'vitest';
import { doctor } from '../../../harness/cli/commands/doctor.ts';
import type { DoctorFlags } from '../../../harness/cli/commands/doctor.ts';

describe('doctor --due', () => {
  it.each<[DoctorFlags, RegExp]>([
    [{ due: ['no-such-folder'] }, /--due names 'no-such-folder', which is not there/],
    [{ due: true, soon: 'soon' }, /--soon is 'soon'; expected a number of days such as 14d/],
    [{ due: true, calendar: 'none.yaml' }, /none\.yaml: the calendar of drills cannot be read/],
    [{ soon: '3d' }, /--calendar and --soon belong to --due/],
    [{ due: true, recover: true }, /--due goes with neither --recover nor --environment/],
    [{ due: ['reports'], environment: ['embedded'] }, /--due goes with neither/],
  ])('refuses %j, and says what is wrong', async (flags, sentence) => {
    await expect(doctor(flags)).rejects.toThrow(sentence);
  });
});
