import { KilldrillError } from '../../src/errors.ts';
import type { Environment } from './environment.ts';

/** The environment of fleets that need no server of ours: nothing is started, and nothing of it can be hit. */
export function noServers(): Environment {
  const refuse = (): Promise<never> => Promise.reject(new KilldrillError('NO_SERVERS', NO_SERVERS));
  return {
    name: 'none',
    facts: { environment: 'none (the fleet has a switch of its own: neither PostgreSQL nor Kafka is started for it)' },
    postgres: {
      target: { host: '127.0.0.1', port: 0 },
      ...{ kill: refuse, pause: refuse, resume: refuse, stop: refuse, start: refuse },
    },
    kafka: null,
    createDatabase: refuse,
    close: () => Promise.resolve(),
  };
}

const NO_SERVERS =
  'the environment none has no servers; choose --environment embedded, or drill a fleet with fleet.levers';
