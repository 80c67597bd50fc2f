import { InterruptedError } from './exit.ts';

/** A signal that fires on Ctrl-C and SIGTERM; the undo then runs in order. A second one changes nothing. */
export function interruptible(): { readonly signal: AbortSignal; readonly dispose: () => void } {
  const controller = new AbortController();
  const on = (signal: 'SIGINT' | 'SIGTERM') => () => controller.abort(new InterruptedError(signal));
  const handlers = { SIGINT: on('SIGINT'), SIGTERM: on('SIGTERM') };
  process.on('SIGINT', handlers.SIGINT);
  process.on('SIGTERM', handlers.SIGTERM);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGINT', handlers.SIGINT);
      process.off('SIGTERM', handlers.SIGTERM);
    },
  };
}
