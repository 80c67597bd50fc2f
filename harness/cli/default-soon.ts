/** How long before it expires a proof is due soon, unless told otherwise. */
export const DEFAULT_SOON = '14d';
