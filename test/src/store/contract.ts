import { beforeAll, beforeEach, describe } from 'vitest';
import { describeCanaryTurns } from './contract/canary-turns.ts';
import { describeCounts } from './contract/counts.ts';
import { describeCritical } from './contract/critical.ts';
import { describeEffectiveness } from './contract/effectiveness.ts';
import { describeFence } from './contract/fence.ts';
import { describeFlips } from './contract/flips.ts';
import { describeGreenCheck } from './contract/green-check.ts';
import { describeHalted } from './contract/halted.ts';
import { describeLedger } from './contract/ledger.ts';
import { describePastDue } from './contract/past-due.ts';
import { describePolicies } from './contract/policies.ts';
import { describeQueue } from './contract/queue.ts';
import { describeRegistryPlane } from './contract/registry-plane.ts';
import { describeRepeats } from './contract/repeats.ts';
import { describeResume } from './contract/resume.ts';
import { describeSignatures } from './contract/signatures.ts';
import { describeSweeps } from './contract/sweeps.ts';
import { TestWorld } from './contract/world.ts';
import type { StoreKind } from './contract/world.ts';

/** What every store keeps, whatever it is made of. */
export function describeStoreContract(name: string, start: () => Promise<StoreKind>): void {
  describe(`${name} keeps the store's contract`, () => {
    const world = new TestWorld();
    let kind: StoreKind;

    beforeAll(async () => {
      kind = await start();
      return () => kind.close();
    });
    beforeEach(async () => {
      await world.open(kind);
      return () => world.close();
    });

    describeFlips(world);
    describeRegistryPlane(world);
    describeFence(world);
    describeQueue(world);
    describeRepeats(world);
    describeHalted(world);
    describePolicies(world);
    describeCritical(world);
    describeSweeps(world);
    describePastDue(world);
    describeCounts(world);
    describeGreenCheck(world);
    describeResume(world);
    describeLedger(world);
    describeSignatures(world);
    describeEffectiveness(world);
    describeCanaryTurns(world);
  });
}
