import { beforeAll, beforeEach, describe } from 'vitest';
import { describeFence } from './contract/fence.ts';
import { describeFlips } from './contract/flips.ts';
import { describeQueue } from './contract/queue.ts';
import { describeRegistryPlane } from './contract/registry-plane.ts';
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
  });
}
