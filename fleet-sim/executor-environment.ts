import { z } from 'zod';
import { KilldrillError, readDetectorKeys, readFlipKeys } from '../src/index.ts';
import type { AlertPolicy, DetectorKeys, FlipKeys } from '../src/index.ts';

/** Where alerts come from. What is null has the bus's own default. */
export type ToldBus =
  | {
      readonly kind: 'postgres';
      readonly url: string;
      readonly topic: string | null;
      readonly deadTopic: string | null;
    }
  | {
      readonly kind: 'kafka';
      readonly brokers: readonly string[];
      readonly topic: string | null;
      readonly deadTopic: string | null;
      readonly group: string | null;
    };

/** What an executor process is told. */
export interface ToldExecutor {
  readonly namespace: string;
  readonly executor: string;
  /** The store for its registry, with a worker's rights. */
  readonly registryUrl: string;
  /** The store for the stops that it makes durable, with the flipper's rights. */
  readonly stopsUrl: string;
  readonly bus: ToldBus;
  readonly keys: DetectorKeys;
  readonly queue: AlertPolicy['queue'];
  /** Of those who flip; null where nothing has to be signed. */
  readonly flipKeys: FlipKeys | null;
  /** File of the private key that its stops are signed with; null for unsigned ones. */
  readonly signingKeyFile: string | null;
}

const text = z.string().min(1, 'expected a value');
const keys = text.transform((value, context): DetectorKeys => {
  try {
    return readDetectorKeys(JSON.parse(value));
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});
const flipKeys = text.transform((value, context): FlipKeys => {
  try {
    return readFlipKeys(value);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});
const BROKER = /^[^,\s]+:\d{1,5}$/;
const brokers = text
  .transform((value) => value.split(',').map((one) => one.trim()))
  .refine((list) => list.every((one) => BROKER.test(one)), 'expected host:port, several with commas');

const toldSchema = z.object({
  KILLDRILL_NAMESPACE: text,
  KILLDRILL_EXECUTOR: text,
  KILLDRILL_REGISTRY_URL: text,
  KILLDRILL_STOPS_URL: text,
  KILLDRILL_ALERTS_URL: text.optional(),
  KILLDRILL_KAFKA_BROKERS: brokers.optional(),
  KILLDRILL_ALERTS_TOPIC: text.optional(),
  KILLDRILL_DEAD_LETTERS_TOPIC: text.optional(),
  KILLDRILL_ALERTS_GROUP: text.optional(),
  KILLDRILL_DETECTOR_KEYS: keys,
  KILLDRILL_ALERT_QUEUE: z.enum(['discard', 'park']),
  KILLDRILL_PUBLIC_KEY: flipKeys.optional(),
  KILLDRILL_SIGNING_KEY_FILE: text.optional(),
});

/**
 * Reads what an executor is told by its environment.
 *
 * @throws KilldrillError `EXECUTOR_ENVIRONMENT` naming each variable that is missing or wrong, and what was expected.
 */
export function readExecutorEnvironment(environment: Readonly<Record<string, string | undefined>>): ToldExecutor {
  const read = toldSchema.safeParse(environment);
  const wrong = [
    ...(read.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`),
    ...wrongBus(environment),
  ];
  if (!read.success || wrong.length > 0) {
    throw new KilldrillError(
      'EXECUTOR_ENVIRONMENT',
      `the executor's environment is incomplete (${wrong.join('; ')}); an executor is started by 'killdrill run', which sets these variables`,
    );
  }
  const told = read.data;
  return {
    namespace: told.KILLDRILL_NAMESPACE,
    executor: told.KILLDRILL_EXECUTOR,
    registryUrl: told.KILLDRILL_REGISTRY_URL,
    stopsUrl: told.KILLDRILL_STOPS_URL,
    bus: busOf(told),
    keys: told.KILLDRILL_DETECTOR_KEYS,
    queue: told.KILLDRILL_ALERT_QUEUE,
    flipKeys: told.KILLDRILL_PUBLIC_KEY ?? null,
    signingKeyFile: told.KILLDRILL_SIGNING_KEY_FILE ?? null,
  };
}

function wrongBus(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  const there = ['KILLDRILL_ALERTS_URL', 'KILLDRILL_KAFKA_BROKERS'].filter((name) => environment[name] !== undefined);
  if (there.length === 1) return [];
  const found = there.length === 0 ? 'neither is set' : 'both are set';
  return [`KILLDRILL_ALERTS_URL, KILLDRILL_KAFKA_BROKERS: ${found}, expected one of them: alerts come from one bus`];
}

function busOf(told: z.output<typeof toldSchema>): ToldBus {
  const topics = { topic: told.KILLDRILL_ALERTS_TOPIC ?? null, deadTopic: told.KILLDRILL_DEAD_LETTERS_TOPIC ?? null };
  const { KILLDRILL_KAFKA_BROKERS: at, KILLDRILL_ALERTS_URL: url = '', KILLDRILL_ALERTS_GROUP: group } = told;
  if (at === undefined) return { kind: 'postgres', url, ...topics };
  return { kind: 'kafka', brokers: at, group: group ?? null, ...topics };
}
