import { join } from 'node:path';

/** Where bundles go unless told otherwise. */
export const DEFAULT_OUT = 'reports';
/** Where kept regressions are unless told otherwise. */
export const DEFAULT_REGRESSIONS = join('scenarios', 'regressions');
/** How long before it expires a proof is due soon, unless told otherwise. */
export const DEFAULT_SOON = '14d';
/** How many drills looking for the smallest scenario takes at most, where nobody says. */
export const DEFAULT_TRIES = 30;
/** And how long none is begun any more. */
export const DEFAULT_FOR = '15m';
