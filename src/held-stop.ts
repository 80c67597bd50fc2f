import { KilldrillError } from './errors.ts';
import type { FlipRecord } from './store/store.ts';
import type { Flip, StopFlip } from './switch.ts';

/** A stop as a path delivered it; `place` is null when the path does not know where the store has it. */
export interface ArrivedStop {
  readonly text: string;
  readonly signature: string | null;
  readonly place: { readonly epoch: string; readonly revision: number } | null;
  /**
   * Who offers it to the store as long as that has not answered: the registry's feed by a relay (`here`, the default), or
   * whoever delivered it, until `offer` says otherwise.
   */
  readonly offered?: 'here' | 'elsewhere';
  /**
   * What entitles it to be enforced where keys are told: its signature (the default), or the path itself, for one that only
   * those can use who may stop, such as this process's own executor, or a hand on the state file.
   */
  readonly authority?: 'signature' | 'path';
}

/** A stop that is enforced now. */
export interface HeldStop {
  readonly text: string;
  readonly signature: string | null;
  readonly revision: number | null;
  /** Enforced though the contiguous prefix does not hold it. */
  readonly early: boolean;
  readonly offered: 'here' | 'elsewhere';
  readonly authority: 'signature' | 'path';
  /** Of a drain: its time is up, and it lets nothing pass any more. */
  readonly drainOver: boolean;
}

export type ApplyResult =
  | { readonly kind: 'applied'; readonly stops: number; readonly releases: number }
  /** Something between our head and these flips is missing: fetch from our head. */
  | { readonly kind: 'gap' }
  /** These flips do not continue our history: reload in full. */
  | { readonly kind: 'diverged' };

/** A stop as the contiguous prefix holds it. */
export function inPrefix({ text, signature, revision }: FlipRecord, drainOver: boolean): HeldStop {
  return { text, signature, revision, early: false, offered: 'here', authority: 'signature', drainOver };
}

/** The stop among a load's open ones. @throws KilldrillError `LOAD_UNREADABLE` for anything else */
export function stopOf(flip: Flip): StopFlip {
  if (flip.kind === 'stop') return flip;
  throw new KilldrillError(
    'LOAD_UNREADABLE',
    `the store's open engagements hold ${flip.id}, which is a ${flip.kind}; expected stops only`,
  );
}
