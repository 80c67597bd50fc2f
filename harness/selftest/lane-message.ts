import type { SelftestRow } from './kill-matrix.ts';

/** What a lane answers to a drill that it was asked for. */
export type LaneAnswer =
  | { readonly kind: 'row'; readonly row: SelftestRow }
  | { readonly kind: 'error'; readonly code: string; readonly message: string };
