/** What a test may change about the short drill. */
export interface ShortDrill {
  readonly name?: string;
  readonly fleet?: string;
  readonly effects?: string;
  /** More entries between the stop and its release, YAML lines of a list. */
  readonly faults?: readonly string[];
  readonly hold?: string;
  readonly settle?: string;
  readonly expect?: string;
}

/** A scenario of a few seconds: one tenant is stopped and goes on. */
export function shortDrill({
  name = 'short',
  fleet = '{ workers: 2 }',
  effects = '120/s',
  faults = [],
  hold = '4s',
  settle = '4s',
  expect = '{ properties: all }',
}: ShortDrill = {}): string {
  return [
    'version: 1',
    `name: ${name}`,
    'description: A test.',
    `fleet: ${fleet}`,
    `traffic: { effects: ${effects}, tenants: 6 }`,
    'steadyState: { for: 1s, effectsPerSecond: { min: 1 } }',
    'timeline:',
    '  - { when: exposed, flip: { scope: tenant, target: $busiest, mode: halt_all } }',
    ...faults.map((fault) => `  - ${fault}`),
    '  - { at: flip+hold, release: { scope: tenant, target: $busiest } }',
    `hold: ${hold}`,
    `settle: ${settle}`,
    `expect: ${expect}`,
    '',
  ].join('\n');
}
