import { z } from 'zod';
import { badRecord } from './import-error.ts';
import { JsonObjects } from './json-objects.ts';
import type { FoundObject } from './json-objects.ts';
import type { Row, RowReader } from './row.ts';

const scalar = z.object({
  stringValue: z.string().optional(),
  intValue: z.union([z.string(), z.number()]).optional(),
  doubleValue: z.number().optional(),
  boolValue: z.boolean().optional(),
});
const attributes = z.array(z.object({ key: z.string(), value: scalar })).default([]);
const nanoseconds = z.union([z.string().regex(/^\d{1,20}$/), z.number()]);
const spanSchema = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().default(''),
  name: z.string(),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  attributes,
});
const resourceSchema = z.object({ attributes });

/**
 * Reads spans as OTLP JSON: one document, or one a line as collectors write them. A span says traceId, spanId, parentSpanId,
 * name, start and end, its attributes by their keys, and those of its resource behind `resource.`.
 */
export class OtlpReader implements RowReader {
  readonly doubts: readonly string[] = [];
  readonly #file: string;
  readonly #objects: JsonObjects;
  #resource: ReadonlyMap<string, string> = new Map();

  constructor(file: string) {
    this.#file = file;
    this.#objects = new JsonObjects(file, ['resource', 'spans']);
  }

  feed(text: string): readonly Row[] {
    return this.#objects.feed(text).flatMap((found) => this.#take(found));
  }

  end(): readonly Row[] {
    this.#objects.end();
    return [];
  }

  #take(found: FoundObject): readonly Row[] {
    if (found.kind === 'resource') {
      const resource = this.#read(resourceSchema, found);
      this.#resource = named(resource.attributes, 'resource.');
      return [];
    }
    const span = this.#read(spanSchema, found);
    const values = named(span.attributes, '');
    const resource = this.#resource;
    const { traceId, spanId, parentSpanId, name, startTimeUnixNano, endTimeUnixNano } = span;
    const own: Readonly<Record<string, string>> = {
      ...{ traceId, spanId, parentSpanId, name },
      ...{ start: String(startTimeUnixNano), end: String(endTimeUnixNano) },
    };
    const value = (key: string): string | undefined => {
      const there = Object.hasOwn(own, key) ? own[key] : (values.get(key) ?? resource.get(key));
      return there === '' ? undefined : there;
    };
    return [{ line: found.line, value }];
  }

  #read<T>(schema: z.ZodType<T>, { kind, line, text }: FoundObject): T {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (cause) {
      throw badRecord(this.#file, line, `found no JSON: ${text.slice(0, 60)}`, cause);
    }
    const read = schema.safeParse(json);
    if (read.success) return read.data;
    const [issue] = read.error.issues;
    const what = kind === 'resource' ? kind : 'span';
    throw badRecord(
      this.#file,
      line,
      `found a ${what} whose ${issue?.path.join('.') ?? ''} is wrong: ${issue?.message ?? ''}`,
    );
  }
}

function named(list: z.output<typeof attributes>, prefix: string): ReadonlyMap<string, string> {
  return new Map(
    list.flatMap(({ key, value }): [string, string][] => {
      const found = value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue;
      return found === undefined ? [] : [[`${prefix}${key}`, String(found)]];
    }),
  );
}
