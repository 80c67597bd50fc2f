import type { TestProject } from 'vitest/node';
import { messageOf } from '../../src/errors.ts';
import { connectDocker } from '../../harness/environment/docker-engine.ts';
import { findKafkaHome } from '../../harness/environment/kafka-home.ts';

/** Why tests on it cannot run here; null when they can. */
export interface Infrastructure {
  readonly kafka: string | null;
  readonly containers: string | null;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly infrastructure: Infrastructure;
  }
}

/**
 * Looks once what there is, and says what is skipped. What `KILLDRILL_REQUIRE` names, such as `kafka,containers`, has to be
 * there.
 */
export async function setup(project: TestProject): Promise<void> {
  const required = new Set((process.env['KILLDRILL_REQUIRE'] ?? '').split(',').map((name) => name.trim()));
  const infrastructure: Infrastructure = {
    kafka: await whyNot(() => findKafkaHome(process.env)),
    containers: await whyNot(() => connectDocker()),
  };
  for (const [name, why] of Object.entries(infrastructure)) {
    if (why === null) continue;
    if (required.has(name)) throw new Error(`KILLDRILL_REQUIRE names ${name}, which is not here: ${why}`);
    console.warn(`skipped: all tests that need ${name}, which is not here: ${why}`);
  }
  project.provide('infrastructure', infrastructure);
}

async function whyNot(look: () => Promise<unknown>): Promise<string | null> {
  try {
    await look();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
