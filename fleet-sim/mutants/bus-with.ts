import type { AlertBus, BusMessage, PartitionReader } from '../../src/index.ts';

/** The executor's bus with what is delivered to each of its readers going through `deliver`. */
export function busWith(
  genuine: AlertBus,
  deliver: (reader: PartitionReader, messages: readonly BusMessage[]) => Promise<void>,
): AlertBus {
  return {
    topic: genuine.topic,
    range: (partition) => genuine.range(partition),
    deadLetter: (letters) => genuine.deadLetter(letters),
    join: (member) =>
      genuine.join({
        assigned: async (partition, committed) => {
          const reader = await member.assigned(partition, committed);
          return {
            position: reader.position,
            deliver: (messages) => deliver(reader, messages),
            revoked: () => reader.revoked(),
          };
        },
        alive: () => member.alive(),
        lost: (error) => member.lost(error),
      }),
  };
}
