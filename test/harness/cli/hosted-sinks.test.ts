import { describe, expect, it } from 'vitest';
import { positionName, sinkWishes } from '../../../harness/cli/hosted-sinks.ts';

const namesOf = (brokers: readonly string[], namespace = 'payments', word = 'kafka:flips'): readonly string[] =>
  sinkWishes([word], { brokers }).map((wish) => positionName(wish, namespace));

describe('where a sink keeps how far it is', () => {
  it('is another place for another cluster, topic or namespace: none of them has what went elsewhere', () => {
    const places = [
      ...namesOf(['one:9092', 'two:9092']),
      ...namesOf(['three:9092']),
      ...namesOf(['one:9092', 'two:9092'], 'billing'),
      ...namesOf(['one:9092', 'two:9092'], 'payments', 'kafka:stops'),
    ];
    expect(new Set(places).size).toBe(4);
  });

  it('is the same in whatever order the brokers are told, and tells nobody an address', () => {
    expect(namesOf(['two:9092', 'one:9092'])).toEqual(namesOf(['one:9092', 'two:9092']));
    expect(namesOf(['two:9092'])[0]).toMatch(/^kafka-[0-9a-f]{16}\.json$/);
  });
});
