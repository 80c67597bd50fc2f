import { KilldrillError } from '../../../src/errors.ts';
import type { FaultyServer } from '../../environment/environment.ts';
import { waitUntil } from '../../environment/wait.ts';
import type { Fault, FaultGround } from '../fault.ts';
import { kafkaAnswers, postgresAnswers } from './answers.ts';

/** A server as a fault hits it, and how to tell whether it answers. */
interface HitServer {
  readonly server: FaultyServer;
  readonly answers: () => Promise<boolean>;
}

/** Finds it where the fault is. @throws KilldrillError `KAFKA_MISSING` */
type FindServer = (ground: FaultGround) => HitServer;

const BACK_BOUND_MS = 10_000;
const BACK_LOOK_MS = 10;
/** The harness's own way in, under no fault. */
const OWN_DOOR = 'killdrill';

/** The server that a fault's target names; null when it names a process of the fleet. */
export function serverNamed(target: string): FindServer | null {
  if (target === 'postgres') return postgresOf;
  return target === 'kafka' ? kafkaOf : null;
}

/** SIGKILL to the whole server; recovers by a start with the same data. Observed when nobody answers there. */
export function killServer(find: FindServer): Fault {
  return endedBy(find, (server) => server.kill());
}

/** An orderly stop and a start. Observed when nobody answers in between. */
export function restartServer(find: FindServer): Fault {
  return endedBy(find, (server) => server.stop());
}

/** All its processes are stopped, or frozen. Observed when a connection gets no answer. */
export function pauseServer(find: FindServer): Fault {
  return {
    endsWhatItHits: false,
    async inject(ground, observed) {
      const { server, answers } = find(ground);
      await server.pause();
      if (!(await answers())) observed();
    },
    recover: (ground) => backBy(find, ground, (server) => server.resume()),
  };
}

function endedBy(find: FindServer, end: (server: FaultyServer) => Promise<void>): Fault {
  return {
    endsWhatItHits: true,
    async inject(ground, observed) {
      const { server, answers } = find(ground);
      await end(server);
      if (!(await answers())) observed();
    },
    recover: (ground) => backBy(find, ground, (server) => server.start()),
  };
}

/** It is well again once it answers. */
async function backBy(
  find: FindServer,
  ground: FaultGround,
  begin: (server: FaultyServer) => Promise<void>,
): Promise<void> {
  const { server, answers } = find(ground);
  await begin(server);
  if (await waitUntil(answers, { boundMs: BACK_BOUND_MS, everyMs: BACK_LOOK_MS, signal: ground.signal })) return;
  const message = `the server was started and gave no answer within ${BACK_BOUND_MS} ms; look into its log in the drill's folder`;
  throw new KilldrillError('SERVER_NOT_BACK', message);
}

function postgresOf({ postgres }: FaultGround): HitServer {
  return { server: postgres, answers: () => postgresAnswers(postgres.target) };
}

function kafkaOf({ kafka }: FaultGround): HitServer {
  if (kafka !== null) return { server: kafka, answers: () => kafkaAnswers(kafka.door(OWN_DOOR).brokers) };
  const message = `there is no Kafka to hit: PostgreSQL is the alert bus here; choose --environment local or containers`;
  throw new KilldrillError('KAFKA_MISSING', message);
}
