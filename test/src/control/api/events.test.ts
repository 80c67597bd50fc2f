import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { EventHub } from '../../../../src/control/api/events.ts';
import { Registry } from '../../../../src/registry.ts';
import { ManualClock } from '../../manual-clock.ts';
import { stopText } from '../../store/samples.ts';

/** A connection whose other side reads nothing. */
class Unread extends EventEmitter {
  writableLength = 0;
  destroyed = false;
  writeHead(): void {}
  write(text: string): void {
    this.writableLength += text.length;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

it('cuts off who does not read what comes, and not who takes time for a beginning that is longer than that', () => {
  const clock = new ManualClock();
  const registry = new Registry('ns');
  const stop = (id: string, reason: string): void =>
    void registry.arrive({ text: stopText('ns', { id, reason }), signature: null, place: null });
  for (let nth = 0; nth < 800; nth += 1) stop(`first-${nth}`, 'x'.repeat(1_500));
  const hub = new EventHub({ registry, lease: { held: () => true }, clock });
  const reader = new Unread();
  hub.add(reader as unknown as ServerResponse, {});
  expect(reader.writableLength).toBeGreaterThan(1_100_000);
  const tell = (nth: number): void => {
    stop(`then-${nth}`, 'y'.repeat(2_000));
    clock.advance(20);
  };
  tell(0);
  expect([reader.destroyed, hub.watchers]).toEqual([false, 1]);
  for (let nth = 1; nth < 1_000 && !reader.destroyed; nth += 1) tell(nth);
  expect([reader.destroyed, hub.watchers]).toEqual([true, 0]);
  hub.close();
});
