import type { Registry } from '../registry.ts';

/**
 * Asks for a full load whenever a stop in mode `halt_noncritical` is new here: what is critical comes with a load only, and
 * matters only then. Until it has come the list of the last load counts.
 */
export function rereadCriticalRules(registry: Registry, reload: () => void): void {
  let known = new Set<string>();
  let loaded = false;
  registry.onChange(() => {
    const mild = registry.openEngagements().filter(({ mode }) => mode === 'halt_noncritical');
    const isNew = mild.some(({ id }) => !known.has(id));
    known = new Set(mild.map(({ id }) => id));
    const isFirstLoad = !loaded && registry.head !== null;
    loaded ||= isFirstLoad;
    if (isNew && !isFirstLoad) reload();
  });
}
