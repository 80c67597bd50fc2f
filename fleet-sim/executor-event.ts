import { createHash } from 'node:crypto';
import type { AlertEvent, BusMessage, TripAnswer } from '../src/index.ts';

/** Which message an executor speaks of: its place on the bus, and the sha256 of its bytes. */
interface Spoken {
  readonly partition: number;
  readonly position: number;
  readonly content: string;
}

/** A line that an executor says on stdout about its alerts, besides `ready` and a mutant's proof. */
export type ExecutorEvent =
  /** `flipId` is that of the stop which it asks for; null for an alert that comes to none. */
  | ({ readonly event: 'alert.read'; readonly flipId: string | null } & Spoken)
  /** Enforced in the executor's own process, before the store had answered. */
  | ({ readonly event: 'alert.held'; readonly flipId: string } & Spoken)
  /** `revision` is that of the flip, or of the release that made it stale. */
  | ({
      readonly event: 'alert.answered';
      readonly flipId: string;
      readonly kind: TripAnswer['kind'];
      readonly revision: number | null;
    } & Spoken)
  | ({ readonly event: 'alert.poison'; readonly code: string } & Spoken)
  /** The last line. */
  | { readonly event: 'bye' };

/** What an executor says of something that happened to an alert. */
export function saidOf(event: AlertEvent): ExecutorEvent {
  const spoken = spokenOf(event.message);
  switch (event.kind) {
    case 'read': {
      const { judgement } = event;
      return { event: 'alert.read', flipId: judgement.kind === 'trip' ? judgement.trip.flipId : null, ...spoken };
    }
    case 'held':
      return { event: 'alert.held', flipId: event.trip.flipId, ...spoken };
    case 'answered': {
      const { answer, trip } = event;
      return {
        event: 'alert.answered',
        ...{ flipId: trip.flipId, kind: answer.kind, revision: revisionOf(answer) },
        ...spoken,
      };
    }
    case 'poison':
      return { event: 'alert.poison', code: event.code, ...spoken };
    default:
      throw new TypeError(`unknown alert event ${JSON.stringify(event satisfies never)}`);
  }
}

function spokenOf({ partition, position, bytes }: BusMessage): Spoken {
  return { partition, position, content: createHash('sha256').update(bytes).digest('hex') };
}

function revisionOf(answer: TripAnswer): number | null {
  switch (answer.kind) {
    case 'flip':
    case 'duplicate':
      return answer.record.revision;
    case 'stale':
      return answer.revision;
    case 'reused':
      return null;
    default:
      throw new TypeError(`unknown answer ${JSON.stringify(answer satisfies never)}`);
  }
}
