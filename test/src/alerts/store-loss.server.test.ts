import { describe, expect, it } from 'vitest';
import { expectNothingLost, loseStore } from './store-loss.ts';

describe('an executor whose store, with its bus, is killed in the midst of alerts', () => {
  it('loses no acknowledged alert, lets nobody go, and goes on (prints how soon)', { timeout: 120_000 }, async () => {
    const loss = await loseStore({ kind: 'postgres', topic: 'killdrill.alerts' });
    process.stdout.write(`PostgreSQL back to the next stop durable: ${Math.round(loss.durableAgainMs)} ms (n=1)\n`);
    expectNothingLost(loss);
    expect(loss.acknowledged.length).toBeGreaterThan(50);
  });
});
