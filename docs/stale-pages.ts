/** Paths of the pages whose text is not what it would be if it were made now; `read` answers null for a missing one. */
export function stalePages(
  pages: Readonly<Record<string, () => string>>,
  read: (path: string) => string | null,
): readonly string[] {
  return Object.entries(pages)
    .filter(([path, make]) => read(path) !== make())
    .map(([path]) => path);
}
