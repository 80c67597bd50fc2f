import { readFile } from 'node:fs/promises';
import { z } from 'zod';

export const ENVIRONMENT_FILE = 'environment.json';

const fact = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const environmentSchema = z.object({
  version: z.literal(1),
  environment: z.record(z.string(), fact),
  machine: z.record(z.string(), fact),
});

/** Where a drill ran, as far as people read it. */
export type EnvironmentFile = z.infer<typeof environmentSchema>;

/** What a bundle's `environment.json` says; null when it is not there or of no form that this killdrill knows: a report does without. */
export async function readEnvironmentFile(path: string): Promise<EnvironmentFile | null> {
  try {
    const read = environmentSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return read.success ? read.data : null;
  } catch {
    return null;
  }
}
