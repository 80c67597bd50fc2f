import { KilldrillError, messageOf } from '../../src/errors.ts';
import { withEnvironment } from '../drill/with-environment.ts';
import type { Ground } from '../drill/with-environment.ts';
import { drillSubject } from './drill-subject.ts';
import type { SubjectDrill } from './drill-subject.ts';
import type { LaneAnswer } from './lane-message.ts';

// A process of `selftest --parallel`: drills what it is told to, in an environment of its own, until the channel to its
// parent is closed, by the parent or by the parent's death.
const over = new AbortController();
process.once('disconnect', () => over.abort(new KilldrillError('LANE_OVER', 'the selftest is over')));

let isUp: (ground: Ground) => void = () => undefined;
const ground = new Promise<Ground>((resolve) => (isUp = resolve));
let atHand: Promise<void> = Promise.resolve();
process.on('message', (drill) => {
  atHand = ground.then((up) => one(up, drill as SubjectDrill));
});

try {
  await withEnvironment('embedded', over.signal, async (up) => {
    isUp(up);
    await fired(over.signal);
    await atHand; // it has the signal too, and ends its fleet
  });
} catch (error) {
  if (!over.signal.aborted) await answer(refusal(error));
}
process.exit(0);

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function one(up: Ground, drill: SubjectDrill): Promise<void> {
  try {
    await answer({
      kind: 'row',
      row: await drillSubject(up, drill, { onProgress: () => undefined, signal: over.signal }),
    });
  } catch (error) {
    await answer(refusal(error));
  }
}

function refusal(error: unknown): LaneAnswer {
  return {
    kind: 'error',
    code: error instanceof KilldrillError ? error.code : 'UNEXPECTED',
    message: messageOf(error),
  };
}

/** Done once it is on its way: the process may end after it. */
function answer(message: LaneAnswer): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });
}
