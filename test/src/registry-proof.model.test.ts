import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFlipKeys } from '../../src/flip-signature.ts';
import type { FlipKeys } from '../../src/flip-signature.ts';
import { Registry } from '../../src/registry.ts';
import { newKeys } from './flip-keys.ts';
import { counterexampleOf } from './planted-bug.ts';
import { NAMESPACE, ProofWorld, proofActions } from './registry-proof.model.ts';
import type { ProofUnderTest } from './registry-proof.model.ts';
import {
  BelievesTheStoresWord,
  EnforcesJunk,
  StopsAtAForgery,
  TakesTheStoresText,
  WithOtherProof,
} from './weaker-proof.ts';

const test = newKeys();
const { keys, releaser, stopper, stranger } = test;

async function model(make: () => ProofUnderTest, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(proofActions, async (actions) => {
      const world = new ProofWorld(make, test);
      await world.start();
      for (const action of actions) {
        await world.act(action);
        expect(world.wrong()).toBeNull();
      }
      expect(await world.stillHalted()).toBeNull();
    }),
    { numRuns },
  );
}

const asRelease = (key: string): string => key.replace(/^stop:/, 'stop+release:');
const knowing = (known: FlipKeys | null): ProofUnderTest => new Registry(NAMESPACE, { keys: known });

describe('a registry that knows keys, whoever signs what by which path', () => {
  it('lets go by the word of who may release only, enforces no junk, and is released by a signed release', async () => {
    await model(() => new Registry(NAMESPACE, { keys }), 400);
  });

  it.each<[string, () => ProofUnderTest, RegExp]>([
    ['no signature is asked for', () => knowing(null), /set free of|which nobody has signed/],
    ['every key may release', () => knowing(readFlipKeys([releaser.text, asRelease(stopper.text)].join())), /set free/],
    [
      'a stranger is believed',
      () => knowing(readFlipKeys([releaser.text, stopper.text, stranger.text].join())),
      /set free of|which nobody has signed/,
    ],
    ['a store’s word closes', () => new BelievesTheStoresWord(keys), /set free of/],
    [
      'what a load leaves out is over',
      () => new WithOtherProof(keys, () => ({ since: null, releases: [] })),
      /set free/,
    ],
    ['any head vouches', () => new WithOtherProof(keys, (proof) => ({ ...proof, since: null })), /set free of/],
    ['junk is enforced early', () => new EnforcesJunk(keys), /which nobody has signed/],
    ['a forgery ends the hearing', () => new StopsAtAForgery(keys), /set free of|halts for ever/],
    ['the store’s text counts, proven or not', () => new TakesTheStoresText(keys), /replaced by junk/],
  ])('is found out where %s', async (_, make, symptom) => {
    expect(await counterexampleOf(() => model(make, 3_000))).toMatch(symptom);
  });
});
