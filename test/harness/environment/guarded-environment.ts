/**
 * A harness with an environment that is there to be killed: `tsx guarded-environment.ts <environment> <folder>` says `up` once
 * it is up, and then waits for ever.
 */
import { startEnvironment } from '../../../harness/environment/choose.ts';
import type { EnvironmentChoice } from '../../../harness/environment/choose.ts';
import { makeDrillFolder } from '../../../harness/environment/drill-folder.ts';
import { startGuardian } from '../../../harness/environment/guardian.ts';

const [choice = 'embedded', folder = ''] = process.argv.slice(2);
const guardian = await startGuardian({ folder });
makeDrillFolder(folder);
const environment = await startEnvironment(
  choice as EnvironmentChoice,
  { folder, guardian },
  new AbortController().signal,
);
await environment.createDatabase('drill_1');
await environment.kafka?.createTopics('drill_1');
console.log('up');
setInterval(() => undefined, 1_000);
