/** What became of a flip by the time when its taker answered. `sentNs`: when the question was sent whose answer this is. */
export type Answered = { readonly sentNs: number } & (
  | {
      readonly kind: 'durable';
      readonly revision: number;
      /** Of a flip whose id its taker makes. */
      readonly id?: string;
    }
  | {
      /** Taken, enforced where it was taken, and not in the store yet. */
      readonly kind: 'provisional';
      readonly why: string;
      /** Other paths that it went over. */
      readonly reached: readonly string[];
      /** Whether it is on a disk. */
      readonly kept: boolean;
    }
  /** Not taken, or nobody knows. */
  | { readonly kind: 'refused'; readonly error: string }
);
