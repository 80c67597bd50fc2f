import { createHash } from 'node:crypto';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { KafkaCluster } from '../../src/alerts/kafka-options.ts';
import { systemClock } from '../../src/clock.ts';
import { FlipPublisher } from '../../src/control/sinks/flip-publisher.ts';
import type { SinkStatus } from '../../src/control/sinks/flip-publisher.ts';
import type { FlipSink } from '../../src/control/sinks/flip-sink.ts';
import { jsonlSink } from '../../src/control/sinks/jsonl-sink.ts';
import { positionInFile } from '../../src/control/sinks/sink-position-file.ts';
import { webhookSink } from '../../src/control/sinks/webhook-sink.ts';
import { messageOf } from '../../src/errors.ts';
import { openFlipSource } from '../../src/store/postgres/flip-source.ts';
import { usage } from './usage.ts';

/** One sink, as an operator named it. */
export type SinkWish =
  | { readonly kind: 'jsonl'; readonly path: string }
  | { readonly kind: 'webhook'; readonly url: string }
  | { readonly kind: 'kafka'; readonly topic: string; readonly cluster: KafkaCluster };

/** What is told of every flip, and where it is kept how far each was told. */
export interface HostedSinksOptions {
  readonly wishes: readonly SinkWish[];
  readonly positionsFolder: string;
}

interface Host {
  readonly connectionString: string;
  readonly namespace: string;
  readonly onError: (error: Error) => void;
}

export interface HostedSinks {
  status(): readonly SinkStatus[];
  start(): void;
  close(): Promise<void>;
}

/** A sink that was away for long reads much at once. */
const PATIENT = { connectMs: 2_000, statementMs: 4_000, answerMs: 4_500 };
const MAX_SINKS = 16;

/**
 * Reads what `--sink` was given.
 *
 * @throws KilldrillError `USAGE`
 */
export function sinkWishes(words: readonly string[], cluster: KafkaCluster): readonly SinkWish[] {
  const wishes = words.map((word): SinkWish => {
    const [, kind, where = ''] = /^(jsonl|webhook|kafka):(.+)$/s.exec(word) ?? [];
    switch (kind) {
      case 'jsonl':
        return { kind, path: writable(where) };
      case 'webhook':
        return { kind, url: where };
      case 'kafka':
        if (cluster.brokers.length === 0) throw usage(`--sink kafka:${where} wants --brokers host:port`);
        return { kind, topic: where, cluster };
      default:
        // It may hold an address that is a secret: only its beginning is repeated.
        throw usage(`--sink begins with '${word.slice(0, 12)}'; expected jsonl:FILE, webhook:URL or kafka:TOPIC`);
    }
  });
  if (wishes.length > MAX_SINKS) throw usage(`--sink is given ${wishes.length} times; expected at most ${MAX_SINKS}`);
  const names = new Set(wishes.map((wish) => JSON.stringify(wish)));
  if (names.size < wishes.length) throw usage('--sink names the same sink twice; expected each once');
  return wishes;
}

function writable(where: string): string {
  const path = resolve(where);
  try {
    accessSync(dirname(path), constants.W_OK);
    return path;
  } catch (thrown) {
    throw usage(`--sink jsonl:${where} cannot be written (${messageOf(thrown)}); is its folder there?`);
  }
}

/**
 * Opens the sinks of one process, each with a position of its own, over a connection of their own: what they do keeps no stop
 * waiting.
 *
 * @throws KilldrillError `SINK_INVALID`, or `USAGE` when positions cannot be kept.
 */
export async function openHostedSinks(
  { wishes, positionsFolder }: HostedSinksOptions,
  host: Host,
): Promise<HostedSinks> {
  const { connectionString, namespace, onError } = host;
  const closing: (() => void)[] = [];
  const sinks: { sink: FlipSink; position: ReturnType<typeof positionInFile> }[] = [];
  for (const wish of wishes) {
    const sink = await sinkOf(wish, namespace, closing);
    sinks.push({ sink, position: positionInFile(join(folderAt(positionsFolder), positionName(wish, namespace))) });
  }
  const source = openFlipSource({ connectionString, namespace, timings: PATIENT });
  const publisher = new FlipPublisher({ source, sinks, clock: systemClock, onError });
  return {
    status: () => publisher.status(),
    start: () => publisher.start(),
    close: async () => {
      await publisher.close();
      for (const close of closing) close();
      await source.close();
    },
  };
}

async function sinkOf(wish: SinkWish, namespace: string, closing: (() => void)[]): Promise<FlipSink> {
  switch (wish.kind) {
    case 'jsonl':
      return jsonlSink(wish.path);
    case 'webhook':
      return webhookSink(wish.url);
    case 'kafka': {
      // Only for those who have it: nobody else loads a client of Kafka.
      const { kafkaSink } = await import('../../src/alerts/kafka-sink.ts');
      const { topic, cluster } = wish;
      const sink = kafkaSink({ ...cluster, topic, namespace });
      closing.push(() => sink.close());
      return sink;
    }
  }
}

function folderAt(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  } catch (thrown) {
    throw usage(`--sink-positions ${folder} cannot be used (${messageOf(thrown)})`);
  }
}

/** The same for the same sink of the same namespace; tells nobody an address. */
export function positionName(wish: SinkWish, namespace: string): string {
  const hash = createHash('sha256')
    .update(`${namespace}\n${whereOf(wish)}`, 'utf8')
    .digest('hex')
    .slice(0, 16);
  return `${wish.kind}-${hash}.json`;
}

/** A topic of another cluster is another sink: told by its brokers, in whatever order. */
function whereOf(wish: SinkWish): string {
  switch (wish.kind) {
    case 'jsonl':
      return wish.path;
    case 'webhook':
      return wish.url;
    case 'kafka':
      return `${wish.cluster.brokers.toSorted().join(',')}/${wish.topic}`;
  }
}
