import type { KafkaCluster } from '../../src/alerts/kafka-options.ts';
import { messageOf } from '../../src/errors.ts';
import { readOrdinaryFile } from '../../src/ordinary-file.ts';
import { usage } from './usage.ts';

/** How this command's connections to Kafka are kept from others, and how it proves who it is. */
export type KafkaSecurity = Pick<KafkaCluster, 'ssl' | 'sasl'>;

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
const MAX_FILE_BYTES = 1_000_000;
/** Variables only: what stands on a command line is seen by every user of the machine. */
const TLS = 'KILLDRILL_KAFKA_TLS';
const [CA, CERT, KEY] = ['KILLDRILL_KAFKA_CA_FILE', 'KILLDRILL_KAFKA_CERT_FILE', 'KILLDRILL_KAFKA_KEY_FILE'] as const;
const MECHANISM = 'KILLDRILL_KAFKA_SASL_MECHANISM';
const USERNAME = 'KILLDRILL_KAFKA_SASL_USERNAME';
const [PASSWORD, PASSWORD_FILE] = ['KILLDRILL_KAFKA_SASL_PASSWORD', 'KILLDRILL_KAFKA_SASL_PASSWORD_FILE'] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the variables `KILLDRILL_KAFKA_TLS`, `…_CA_FILE`, `…_CERT_FILE`, `…_KEY_FILE` and `…_SASL_…`, the same for whatever
 * this command has with Kafka; plain connections where none is set.
 *
 * @throws KilldrillError `USAGE` naming the variable, never what is secret
 */
export function kafkaSecurity(environment: Environment = process.env): KafkaSecurity {
  const of = (name: string): string | null => environment[name] || null;
  const ssl = tlsOf(of);
  const sasl = saslOf(of, ssl !== null);
  return { ...(ssl === null ? {} : { ssl }), ...(sasl === null ? {} : { sasl }) };
}

type Lookup = (name: string) => string | null;

function tlsOf(of: Lookup): Exclude<KafkaSecurity['ssl'], undefined | boolean> | null {
  const wish = of(TLS) ?? 'false';
  if (wish !== 'true' && wish !== 'false') throw usage(`${TLS} is '${wish}'; expected true or false`);
  if (wish === 'false') {
    const idle = [CA, CERT, KEY].find((name) => of(name) !== null);
    if (idle !== undefined) throw usage(`${idle} is set and nothing uses it; set ${TLS} to true, or unset it`);
    return null;
  }
  const [ca, cert, key] = [CA, CERT, KEY].map((name) => fileOf(of, name));
  if ((cert === null) !== (key === null)) throw usage(`${CERT} and ${KEY} are needed both, or neither`);
  return {
    ...(ca === null || ca === undefined ? {} : { ca: [ca] }),
    ...(cert === null || cert === undefined ? {} : { cert }),
    ...(key === null || key === undefined ? {} : { key }),
  };
}

function saslOf(of: Lookup, isEncrypted: boolean): KafkaSecurity['sasl'] | null {
  const mechanism = of(MECHANISM);
  if (mechanism === null) {
    const idle = [USERNAME, PASSWORD, PASSWORD_FILE].find((name) => of(name) !== null);
    if (idle === undefined) return null;
    throw usage(`${idle} is set and nothing uses it; set ${MECHANISM} to ${MECHANISMS.join(', ')}, or unset it`);
  }
  const known = MECHANISMS.find((one) => one === mechanism);
  if (known === undefined) throw usage(`${MECHANISM} is '${mechanism}'; expected ${MECHANISMS.join(', ')}`);
  if (known === 'plain' && !isEncrypted) {
    throw usage(`${MECHANISM} is plain, which would send the password for all to read; set ${TLS} to true`);
  }
  const username = of(USERNAME);
  if (username === null) throw usage(`${MECHANISM} is set and ${USERNAME} is not; expected both`);
  const password = passwordOf(of);
  switch (known) {
    case 'plain':
      return { mechanism: known, username, password };
    case 'scram-sha-256':
      return { mechanism: known, username, password };
    case 'scram-sha-512':
      return { mechanism: known, username, password };
  }
}

function passwordOf(of: Lookup): string {
  const [inVariable, inFile] = [of(PASSWORD), fileOf(of, PASSWORD_FILE)?.trim() ?? null];
  if ((inVariable === null) === (inFile === null)) {
    const found = inVariable === null ? 'neither' : 'both';
    throw usage(`${found} of ${PASSWORD_FILE} and ${PASSWORD} is set; expected one of them`);
  }
  const password = inFile ?? inVariable ?? '';
  if (password === '') throw usage(`the file that ${PASSWORD_FILE} names is empty; expected a password`);
  return password;
}

function fileOf(of: Lookup, name: string): string | null {
  const path = of(name);
  if (path === null) return null;
  try {
    return readOrdinaryFile(path, MAX_FILE_BYTES);
  } catch (thrown) {
    throw usage(`${name}: ${path} cannot be read (${messageOf(thrown)})`);
  }
}
