/** Bounds on what one channel takes from its worker. */
export interface ChannelLimits {
  readonly bodyBytes: number;
  readonly connections: number;
  readonly openCalls: number;
  readonly openPolls: number;
  /** How long a request may take to come in, milliseconds. */
  readonly requestMs: number;
}

export const CHANNEL_LIMITS: ChannelLimits = {
  bodyBytes: 1024 * 1024,
  // Below libuv's 1,024 events a poll, so that one look sees every connection of a channel (loop-watch.ts).
  connections: 1000,
  openCalls: 2000,
  openPolls: 200,
  requestMs: 5000,
};
