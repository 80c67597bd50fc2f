/** An array literal of PostgreSQL, for one element of an array whose elements are arrays of different lengths. */
export function arrayLiteral(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
