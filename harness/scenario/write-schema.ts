import { writeFileSync } from 'node:fs';
import { scenarioJsonSchemaText } from './json-schema.ts';

// A script: `node --import tsx harness/scenario/write-schema.ts`, run after a change of the schema.
writeFileSync(new URL('../../scenarios/scenario.schema.json', import.meta.url), scenarioJsonSchemaText());
