import { z } from 'zod';
import { KilldrillError, messageOf } from './errors.ts';
import type { Refusal } from './flip-proof.ts';
import { readFlipKeys } from './flip-signature.ts';
import type { FlipKeys } from './flip-signature.ts';

/**
 * The fleet contract (DESIGN §7): what a drilled fleet is told by its environment, and what it says on stdout.
 */

const text = z.string().min(1);
/** Digits only: `Number('')` is 0, and would pass for a seed. */
const whole = z
  .string()
  .regex(/^-?\d+$/, 'expected a whole number')
  .transform(Number);
const CONTRACT = {
  KILLDRILL_WORKER: text.describe("this worker's name"),
  KILLDRILL_NAMESPACE: text.describe("the fleet's world of switches"),
  KILLDRILL_WORLD_URL: z
    .url({ protocol: /^https?$/, error: 'expected an http URL' })
    .describe("where effects go and work comes from; this incarnation's own"),
  KILLDRILL_DATABASE_URL: text.optional().describe('the store, for intents, outcomes and tasks'),
  KILLDRILL_REGISTRY_URL: text.optional().describe('the store, for flips'),
  KILLDRILL_TRACE: text.optional().describe('file of the trace, for a fleet with its own front door'),
  KILLDRILL_SEED: whole.pipe(z.number().int()).optional().describe("the drill's seed"),
  KILLDRILL_LEASE_MS: whole
    .pipe(z.number().int().min(50).max(60_000))
    .optional()
    .describe('lease of a worker, milliseconds'),
  KILLDRILL_FLEET_FOLDER: text
    .optional()
    .describe(
      'folder that the workers and the levers of a fleet with a switch of its own share; it goes with the drill',
    ),
  KILLDRILL_SNAPSHOT_FOLDER: text.optional().describe('folder that emergency snapshots go to'),
  KILLDRILL_PUBLIC_KEY: text
    .transform((value, context): FlipKeys => {
      try {
        return readFlipKeys(value);
      } catch (error) {
        context.addIssue({ code: 'custom', message: messageOf(error) });
        return z.NEVER;
      }
    })
    .optional()
    .describe(
      'public keys of those who flip, `stop:KEY` or `stop+release:KEY`, several with commas: without a signature of theirs no release lets anybody go on',
    ),
  KILLDRILL_STATE_FILE: text.optional().describe('state file that the fleet is to watch beside the store'),
  KILLDRILL_STATE_KEY: text.optional().describe('public key (PEM) of whoever seals the state file'),
  KILLDRILL_DETECTORS: text
    .optional()
    .describe('detectors that this worker is to have, JSON as `readDetectors` reads it'),
  KILLDRILL_DETECTOR_KEY: text
    .optional()
    .describe('private key that its detectors sign alerts with: Ed25519, base64 of PKCS #8'),
  KILLDRILL_ALERTS_URL: text.optional().describe('where its detectors publish, if PostgreSQL is the alert bus'),
  KILLDRILL_KAFKA_BROKERS: text
    .optional()
    .describe('where its detectors publish, if Kafka is the alert bus: host:port, several with commas'),
  KILLDRILL_ALERTS_TOPIC: text.optional().describe("the alerts' topic; without it, the bus's default"),
  KILLDRILL_AGENTS: whole.pipe(z.number().int().min(1).max(512)).optional().describe('agents in this worker'),
} as const;
const contractSchema = z.object(CONTRACT);

/** Each variable of the contract with its meaning, for the reference. */
export const CONTRACT_VARIABLES: readonly {
  readonly name: string;
  readonly meaning: string;
  readonly always: boolean;
}[] = Object.entries(CONTRACT).map(([name, field]) => ({
  name,
  meaning: field.description ?? '',
  always: !(field instanceof z.ZodOptional),
}));

export interface ContractEnvironment {
  readonly worker: string;
  readonly namespace: string;
  /** Without a trailing slash. */
  readonly worldUrl: string;
  readonly databaseUrl: string | null;
  readonly registryUrl: string | null;
  readonly tracePath: string | null;
  readonly seed: number | null;
  readonly leaseMs: number | null;
  readonly agents: number | null;
  /** Shared by the workers and the levers of a fleet with a switch of its own; null for any other. */
  readonly fleetFolder: string | null;
  /** Where an emergency's snapshot goes; null for nowhere. */
  readonly snapshotFolder: string | null;
  /** Public keys of those who flip; null where nothing has to be signed. */
  readonly keys: FlipKeys | null;
  /** The state file to watch, and the public key (PEM) that its seal is checked with; null for none. */
  readonly stateFile: string | null;
  readonly stateKey: string | null;
  /** Null for a worker that is to have no detectors. */
  readonly detection: ContractDetection | null;
}

/** Detectors that a worker is to have. */
export interface ContractDetection {
  /** As `readDetectors` reads it. */
  readonly detectors: unknown;
  /** PKCS #8, DER. */
  readonly privateKey: Uint8Array;
  readonly bus:
    | { readonly kind: 'postgres'; readonly url: string }
    | { readonly kind: 'kafka'; readonly brokers: readonly string[] };
  /** Null for the bus's default. */
  readonly topic: string | null;
}

/**
 * Reads the contract from an environment.
 *
 * @throws KilldrillError `CONTRACT_ENVIRONMENT` naming each variable that is missing or wrong, and what was expected.
 */
export function readContract(environment: Readonly<Record<string, string | undefined>>): ContractEnvironment {
  const read = contractSchema.safeParse(environment);
  if (!read.success) {
    throw incomplete(read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
  }
  const found = read.data;
  return {
    worker: found.KILLDRILL_WORKER,
    namespace: found.KILLDRILL_NAMESPACE,
    worldUrl: found.KILLDRILL_WORLD_URL.replace(/\/$/, ''),
    databaseUrl: found.KILLDRILL_DATABASE_URL ?? null,
    registryUrl: found.KILLDRILL_REGISTRY_URL ?? null,
    tracePath: found.KILLDRILL_TRACE ?? null,
    seed: found.KILLDRILL_SEED ?? null,
    leaseMs: found.KILLDRILL_LEASE_MS ?? null,
    agents: found.KILLDRILL_AGENTS ?? null,
    fleetFolder: found.KILLDRILL_FLEET_FOLDER ?? null,
    snapshotFolder: found.KILLDRILL_SNAPSHOT_FOLDER ?? null,
    keys: found.KILLDRILL_PUBLIC_KEY ?? null,
    stateFile: found.KILLDRILL_STATE_FILE ?? null,
    stateKey: found.KILLDRILL_STATE_KEY ?? null,
    detection: readDetection(found),
  };
}

/** Detectors without a key or a bus would raise alerts that nobody can take: all of it is there, or nothing. */
function readDetection(found: z.output<typeof contractSchema>): ContractDetection | null {
  const { KILLDRILL_DETECTORS: detectors, KILLDRILL_DETECTOR_KEY: key, KILLDRILL_ALERTS_TOPIC: topic } = found;
  const { KILLDRILL_ALERTS_URL: url, KILLDRILL_KAFKA_BROKERS: brokers } = found;
  if (detectors === undefined) return null;
  if (key === undefined) throw incomplete('KILLDRILL_DETECTOR_KEY: is missing, expected with KILLDRILL_DETECTORS');
  const names = 'KILLDRILL_ALERTS_URL, KILLDRILL_KAFKA_BROKERS';
  if (url === undefined && brokers === undefined) throw incomplete(`${names}: neither is set, expected one of them`);
  if (url !== undefined && brokers !== undefined) throw incomplete(`${names}: both are set, expected one of them`);
  return {
    detectors: jsonIn(detectors),
    privateKey: Buffer.from(key, 'base64'),
    bus: url === undefined ? { kind: 'kafka', brokers: listIn(brokers ?? '') } : { kind: 'postgres', url },
    topic: topic ?? null,
  };
}

function jsonIn(detectors: string): unknown {
  try {
    return JSON.parse(detectors);
  } catch {
    throw incomplete('KILLDRILL_DETECTORS: is no JSON, expected detectors as readDetectors reads them');
  }
}

function listIn(brokers: string): readonly string[] {
  return brokers.split(',').map((one) => one.trim());
}

function incomplete(wrong: string): KilldrillError {
  return new KilldrillError(
    'CONTRACT_ENVIRONMENT',
    `the fleet's environment is incomplete (${wrong}); a fleet is started by 'killdrill run', which sets these variables`,
  );
}

/** A line that a fleet says on stdout. Unknown events are ignored. */
export type ContractEvent =
  /** This worker can be drilled: it is governed, and has asked for work. */
  | { readonly event: 'ready'; readonly incarnation?: string }
  /** This worker has enforced the stop of this revision. */
  | { readonly event: 'stopped'; readonly revision: number }
  /** This worker did not take a flip, for want of proof. */
  | ({ readonly event: 'refused' } & Refusal)
  /** What this worker has done about an emergency, after the stop: where its snapshot is (null: nowhere), and who was told. */
  | {
      readonly event: 'emergency';
      /** Null while the store has not said. */
      readonly revision: number | null;
      readonly snapshot: string | null;
      readonly hooks: readonly { readonly name: string; readonly ok: boolean; readonly error: string | null }[];
    }
  /** What the state file that it watches amounts to here: why it cannot be trusted, or null when it can. Said when that changes. */
  | { readonly event: 'state-file'; readonly refusal: string | null }
  /** A detector of this worker raises an alert: said before it is published, to the letter, with the signature beside it. */
  | { readonly event: 'alert.raised'; readonly text: string; readonly signature: string | null }
  /** The bus has that alert for certain (`ok`), or did not say so. `content` is the sha256 of its text, hex. */
  | {
      readonly event: 'alert.acknowledged';
      readonly content: string;
      readonly ok: boolean;
      readonly error: string | null;
    }
  /** A mutant's proof of activity: its first decision that the unmodified one would not have made on the same input. */
  | {
      readonly event: 'mutant';
      readonly name: string;
      readonly input: unknown;
      readonly unmodified: unknown;
      readonly mutated: unknown;
    }
  /** The last line: how many effects this incarnation has sent, and how many intents it got admitted. */
  | { readonly event: 'bye'; readonly effects: number; readonly intents: number };
