import { z } from 'zod';
import { scenarioSchema } from './schema.ts';

/** The JSON Schema of scenario files, for editors; made from the validator, so that it knows only the keys that work. */
export function scenarioJsonSchema(): Readonly<Record<string, unknown>> {
  return { title: 'killdrill scenario', ...z.toJSONSchema(scenarioSchema, { io: 'input' }) };
}

/** The text of `scenarios/scenario.schema.json`. */
export function scenarioJsonSchemaText(): string {
  return `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`;
}
