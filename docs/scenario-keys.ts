/** What of a JSON Schema the reference shows. */
export interface KeySchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, KeySchema>>;
  readonly items?: KeySchema;
  /** What the values of a map with free keys are; false where no other key is known. */
  readonly additionalProperties?: KeySchema | boolean;
  readonly anyOf?: readonly KeySchema[];
}

/** One key of a scenario, for a reader. */
export interface ScenarioKey {
  readonly path: string;
  readonly takes: string;
  /** `required`, or the default as JSON; empty where there is neither. */
  readonly otherwise: string;
  readonly description: string;
}

/** Every key that works, in the order of the schema; a key that several kinds of entries share stands once. */
export function scenarioKeys(schema: KeySchema): readonly ScenarioKey[] {
  const all = keysBelow('', schema);
  return all.filter((key, index) => all.findIndex(({ path }) => path === key.path) === index);
}

function keysBelow(prefix: string, schema: KeySchema): readonly ScenarioKey[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const key = keyOf(`${prefix}${name}`, child, schema.required?.includes(name) ?? false);
    return [key, ...keysBelow(`${prefix}${name}.`, child)];
  });
  const inList = schema.items === undefined ? [] : keysBelow(prefix.replace(/\.$/, '[].'), schema.items);
  return [...own, ...inList, ...alternatives(schema).flatMap((one) => keysBelow(prefix, one))];
}

/** A key that only some of the alternatives require is not required. */
function alternatives({ anyOf = [] }: KeySchema): readonly KeySchema[] {
  const always = (name: string): boolean => anyOf.every(({ required = [] }) => required.includes(name));
  return anyOf.map((one) => ({ ...one, required: (one.required ?? []).filter(always) }));
}

function keyOf(path: string, schema: KeySchema, required: boolean): ScenarioKey {
  const standard = schema.default === undefined ? '' : JSON.stringify(schema.default);
  return {
    path,
    takes: taken(schema),
    otherwise: standard === '' && required ? 'required' : standard,
    description: schema.description ?? '',
  };
}

function taken(schema: KeySchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(String).join(', ');
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(taken))].join(' or ');
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'anything' : taken(schema.items)}`;
  if (schema.type === 'object') {
    const values = schema.additionalProperties;
    return typeof values === 'object' ? `map of names to ${taken(values)}` : 'map';
  }
  if (schema.pattern?.endsWith('\\/s$')) return 'rate, such as 200/s';
  if (schema.pattern?.endsWith('(?:ms|s|m)$')) return 'time, such as 500ms, 1.2s, 1m';
  return `${schema.type ?? 'anything'}${range(schema)}`;
}

function range({ minimum, maximum }: KeySchema): string {
  if (minimum === undefined) return '';
  return maximum === undefined ? ` from ${minimum}` : ` ${minimum} to ${maximum}`;
}
