/** How many drills looking for the smallest scenario takes at most, where nobody says. */
export const DEFAULT_TRIES = 30;
/** And how long none is begun any more. */
export const DEFAULT_FOR = '15m';
