/**
 * The name, in the history, of the channel through which the harness's operator acts. It is no worker: its effects are
 * compensations of any known run, in any capability, and take no planned step; it is handed no work and starts no run.
 */
export const OPERATOR = 'operator';
