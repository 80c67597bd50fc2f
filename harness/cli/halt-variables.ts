/** The variables that name the ways to a fleet, for help and reference. */
export const HALT_VARIABLES: readonly (readonly [name: string, meaning: string])[] = [
  ['KILLDRILL_CONTROL_URL', 'the API, tried first'],
  ['KILLDRILL_STOP_KEY', 'the key of the API that may stop'],
  ['KILLDRILL_DATABASE_URL', 'PostgreSQL, as the flipper role; tried next'],
  ['KILLDRILL_STATE_FILE', 'the state file that the fleet watches; a stop is put beside it'],
  ['KILLDRILL_DETECTOR', 'the name under which executors know your alerts; the alert bus is tried last'],
  ['KILLDRILL_DETECTOR_KEY', 'file of the private key (Ed25519, PEM) that signs them'],
  ['KILLDRILL_KAFKA_BROKERS', 'host:port,… of the alert bus; without it the bus is PostgreSQL'],
  ['KILLDRILL_ALERTS_TOPIC', "the bus's topic (default: killdrill.alerts)"],
  ['KILLDRILL_KEPT', 'folder that keeps a stop until it is durable (default: a folder of yours)'],
];
