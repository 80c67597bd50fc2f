import { connect } from 'node:net';
import type { ConnectTarget } from '../../environment/proxy.ts';
import type { Fault } from '../fault.ts';

const LOOK_BOUND_MS = 1_000;

/** SIGKILL to the whole server; recovers by a start in the same data directory. Observed when nobody answers there. */
export function killPostgres(): Fault {
  return {
    endsWhatItHits: true,
    async inject({ postgres }, observed) {
      await postgres.kill();
      if (!(await greets(postgres.target))) observed();
    },
    recover: ({ postgres }) => postgres.start(),
  };
}

/** An orderly stop and a start. Observed when nobody answers in between. */
export function restartPostgres(): Fault {
  return {
    endsWhatItHits: true,
    async inject({ postgres }, observed) {
      await postgres.stop();
      if (!(await greets(postgres.target))) observed();
    },
    recover: ({ postgres }) => postgres.start(),
  };
}

/** SIGSTOP to the server and all its backends. Observed when a connection gets no greeting. */
export function pausePostgres(): Fault {
  return {
    endsWhatItHits: false,
    async inject({ postgres }, observed) {
      await postgres.pause();
      if (!(await greets(postgres.target))) observed();
    },
    recover: ({ postgres }) => postgres.resume(),
  };
}

/** Sends an SSLRequest, which a living server answers with one byte at once. A connection alone says nothing: a proxy may have taken it. */
function greets(target: ConnectTarget): Promise<boolean> {
  const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
  return attempt(target, (socket, settle) => {
    socket.once('connect', () => socket.write(sslRequest));
    socket.once('data', () => settle(true));
  });
}

function attempt(
  target: ConnectTarget,
  begin: (socket: ReturnType<typeof connect>, settle: (answer: boolean) => void) => void,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(target);
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(LOOK_BOUND_MS, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
    begin(socket, settle);
  });
}
