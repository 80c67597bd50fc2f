import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scenarioJsonSchema, scenarioJsonSchemaText } from '../../../harness/scenario/json-schema.ts';

test('the committed JSON Schema is what the validator gives', () => {
  const committed = readFileSync(new URL('../../../scenarios/scenario.schema.json', import.meta.url), 'utf8');
  expect(committed).toBe(scenarioJsonSchemaText());
});

test('the JSON Schema knows no key but those that it names', () => {
  const maps = mapsIn(scenarioJsonSchema());
  expect(maps.length).toBeGreaterThan(10);
  // A map whose keys the scenario chooses says what they look like.
  for (const map of maps) if (!('propertyNames' in map)) expect(map).toHaveProperty('additionalProperties', false);
});

/** Every part of a schema that describes a map. */
function mapsIn(part: unknown): readonly object[] {
  if (typeof part !== 'object' || part === null) return [];
  const inside = Object.values(part).flatMap(mapsIn);
  return 'type' in part && part.type === 'object' ? [part, ...inside] : inside;
}
