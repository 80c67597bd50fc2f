import { judgeAlert } from '../../src/index.ts';
import type { AlertBus, BusMessage, ExecutorParts } from '../../src/index.ts';
import { busWith } from './bus-with.ts';
import type { ExecutorContext, Mutant } from './mutant.ts';

export const stallsOnPoison: Mutant = {
  name: 'stalls-on-poison',
  bug: 'its handler throws at the first alert that it cannot take and is given it again, for ever: what is behind it never gets through',
  removes: ['dead letters'],
  property: 'alerts_not_lost',
  scenario: 'poison',
  bend: () => ({}),
  bendExecutor: (context) => (genuine) => ({ ...genuine, bus: stalling(genuine, context) }),
};

function stalling({ bus, policy, clock }: ExecutorParts, { differs }: ExecutorContext): AlertBus {
  const isPoison = (message: BusMessage): boolean => judgeAlert(message, policy, clock.wallMs()).kind === 'poison';
  return busWith(bus, async (reader, messages) => {
    const at = messages.findIndex(isPoison);
    await reader.deliver(at < 0 ? messages : messages.slice(0, at));
    if (at < 0) return;
    differs({ input: messages[at]?.position, unmodified: 'a dead letter', mutated: 'the handler throws' });
    await FOR_EVER;
  });
}

const FOR_EVER = new Promise<void>(() => undefined);
