import { vi } from 'vitest';
import type { AlertBus, BusMessage } from '../../../src/alerts/alert-bus.ts';
import type { Opened } from '../../../src/store/postgres/flip-source.ts';
import { RecordingMember } from './bus-member.ts';

export interface TopicContent {
  readonly messages: readonly BusMessage[];
  /** Where each partition ended when it was looked at. */
  readonly ends: ReadonlyMap<number, number>;
}

/** All that stands on a bus now, read as anybody reads it; closes the bus afterwards. */
export async function readTopic(bus: Opened<AlertBus>, timeoutMs: number): Promise<TopicContent> {
  const ends = new Map<number, number>();
  const starts = new Map<number, number>();
  const member = new RecordingMember(bus, async (partition) => {
    const { earliest, end } = await bus.range(partition);
    ends.set(partition, end);
    starts.set(partition, earliest);
    return earliest;
  });
  try {
    await member.join();
    const wanted = [...ends].reduce((sum, [partition, end]) => sum + end - (starts.get(partition) ?? 0), 0);
    const messages = (): readonly BusMessage[] =>
      member.delivered.filter(({ partition, position }) => position < (ends.get(partition) ?? 0));
    const look = (): void => {
      if (messages().length < wanted) throw new Error(`read ${messages().length} of ${wanted} messages`);
    };
    await vi.waitFor(look, { timeout: timeoutMs, interval: 20 });
    return { messages: messages(), ends };
  } finally {
    await member.close();
    await bus.close();
  }
}
