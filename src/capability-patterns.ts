/** Capabilities whose patterns are kept; an agent has dozens, and whoever makes names up must not fill the memory. */
const KEPT = 1_000;

/** The patterns that cover a capability. They are kept, so that a text is cut and hashed once and not with each decision. */
export class CapabilityPatterns {
  readonly #kept = new Map<string, readonly string[]>();

  /** `a/*` and `a/b/*` for `a/b/c`. */
  above(capability: string): readonly string[] {
    const kept = this.#kept.get(capability);
    if (kept !== undefined) return kept;
    const patterns: string[] = [];
    for (let slash = capability.indexOf('/'); slash >= 0; slash = capability.indexOf('/', slash + 1)) {
      patterns.push(`${capability.slice(0, slash)}/*`);
    }
    if (this.#kept.size >= KEPT) this.#kept.clear();
    this.#kept.set(capability, patterns);
    return patterns;
  }
}
