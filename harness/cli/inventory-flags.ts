import type { Inventory } from '../../src/store/effectiveness-port.ts';
import { usage } from './usage.ts';
import { wholeNumber } from './whole-number.ts';

export interface InventoryFlags {
  readonly expected?: readonly string[];
  readonly closed?: boolean;
}

const MOST_WORKERS = 999_999;

/**
 * The inventory that a command was given; null for none.
 *
 * @throws KilldrillError `USAGE`
 */
export function inventoryOf({ expected, closed = false }: InventoryFlags): Inventory | null {
  if (expected === undefined) {
    if (closed) throw usage('--closed says that nobody else is there than --expected names; name them');
    return null;
  }
  const pools: Record<string, number> = {};
  for (const text of expected) {
    const at = text.lastIndexOf('=');
    const pool = text.slice(0, Math.max(at, 0));
    if (pool === '') throw usage(`--expected is '${text}'; expected a pool and its workers, such as default=4`);
    if (Object.hasOwn(pools, pool)) throw usage(`--expected names pool '${pool}' twice`);
    pools[pool] = wholeNumber(`--expected ${pool}`, text.slice(at + 1), { min: 1, max: MOST_WORKERS });
  }
  return { pools, closed };
}
