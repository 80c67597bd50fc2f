/** What a key may sign: to stop and to release are separate rights (DESIGN §3.7), and who may release may stop. */
export const FLIP_RIGHTS = ['stop', 'stop+release'] as const;
export type FlipRight = (typeof FLIP_RIGHTS)[number];
