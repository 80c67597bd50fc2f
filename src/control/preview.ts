import type { Clock } from '../clock.ts';
import { KilldrillError, messageOf } from '../errors.ts';
import type { PreviewStore, StopPreview } from '../store/preview-port.ts';
import type { StopMode, Switch } from '../switch.ts';
import { within } from '../within.ts';

export type Previewed =
  | { readonly kind: 'seen'; readonly preview: StopPreview }
  /** The store is away or slow. A stop needs none of this. */
  | { readonly kind: 'unseen'; readonly why: string };

export interface PreviewParts {
  readonly store: PreviewStore;
  readonly clock: Clock;
  /** Longest wait, milliseconds. */
  readonly boundMs: number;
}

/** What a stop would hit, and what narrower ones would. Bounded, and never rejects: nobody's stop waits for it. */
export async function previewStop(
  { store, clock, boundMs }: PreviewParts,
  on: Switch,
  mode: StopMode,
): Promise<Previewed> {
  const late = (): KilldrillError =>
    new KilldrillError('PREVIEW_LATE', `the store did not answer within ${boundMs} ms`);
  try {
    return { kind: 'seen', preview: await within(clock, boundMs, store.preview(on, mode), late) };
  } catch (thrown) {
    return { kind: 'unseen', why: messageOf(thrown) };
  }
}
