import { faker } from '@faker-js/faker/locale/en';

const POOL = 64;

/** Payloads that look like an agent's: made from a seed, a bounded pool, picked by run and step. */
export function makePayloads(seed: number): (run: string, step: number) => string {
  faker.seed(seed);
  const pool = Array.from({ length: POOL }, () =>
    JSON.stringify({ to: faker.internet.email(), name: faker.person.fullName(), text: faker.lorem.sentence() }),
  );
  return (run, step) => {
    let hash = step;
    for (let at = 0; at < run.length; at += 1) hash = (hash * 31 + run.charCodeAt(at)) >>> 0;
    return pool[hash % POOL] ?? '{}';
  };
}
