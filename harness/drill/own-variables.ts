/** What a child needs of our own environment; never another drill's or a production fleet's variables. */
export function ownVariables(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('KILLDRILL_'),
  );
  return Object.fromEntries(entries);
}
