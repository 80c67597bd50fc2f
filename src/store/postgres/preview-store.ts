import type { PreviewStore } from '../preview-port.ts';
import type { Opened } from './flip-source.ts';
import { resolveStoreOptions } from './options.ts';
import type { StoreOptions } from './options.ts';
import { Session } from './session.ts';

/** Calls that began longer ago are not looked at, milliseconds: a million of an hour take seconds, and the next stop is what matters. */
const WINDOW_MS = 600_000;
const NARROWER = 8;

/** What a stop would hit, on a connection of its own; its login role needs `killdrill_flipper`. */
export function openPreviewStore(options: StoreOptions): Opened<PreviewStore> {
  const resolved = resolveStoreOptions(options);
  const session = new Session('preview', resolved);
  return {
    preview: ({ scope, target }, mode) =>
      session.call('preview_stop', [resolved.namespace, scope, target, mode, WINDOW_MS, NARROWER]),
    close: () => session.close(),
  };
}
