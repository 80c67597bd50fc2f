/** Lines of a whole scenario; tests replace or add some. */
const LINES: Readonly<Record<string, string>> = {
  version: 'version: 1',
  name: 'name: sample',
  fleet: 'fleet: { workers: 4 }',
  traffic: 'traffic: { effects: 200/s }',
  timeline: 'timeline:\n  - when: exposed\n    flip: { scope: tenant, target: $busiest, mode: halt_all }',
};

/** A scenario's text with some top-level keys written differently, added (any other key), or left out (null). */
export function scenarioText(changes: Readonly<Record<string, string | null>> = {}): string {
  const lines = Object.entries({ ...LINES, ...changes }).flatMap(([, line]) => (line === null ? [] : [line]));
  return `${lines.join('\n')}\n`;
}

/** A timeline of the usual flip and then these entries, each in flow style. */
export function timelineText(...entries: readonly string[]): string {
  const flip = '{ when: exposed, flip: { scope: tenant, target: $busiest, mode: halt_all } }';
  return ['timeline:', ...[flip, ...entries].map((entry) => `  - ${entry}`)].join('\n');
}
