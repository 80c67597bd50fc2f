import type { FaultKind, Plane } from '../history/event.ts';
import type { Complaint } from './complaint.ts';
import { thingNamed } from './crew.ts';
import type { Thing } from './crew.ts';
import type { ReadEntry } from './timeline-schema.ts';

type ReadFault = Extract<ReadEntry, { readonly fault: unknown }>['fault'];

interface Kind {
  /** Which things it can be done to. */
  readonly targets: readonly Thing[];
  /** Keys that it has to have, and those that it may have, besides kind, target and for. */
  readonly needs: readonly FaultKey[];
  readonly may: readonly FaultKey[];
}

/** Keys that some kinds of faults know and others do not. */
const FAULT_KEYS = ['plane', 'direction', 'delay', 'bytes', 'offset'] as const;
export type FaultKey = (typeof FAULT_KEYS)[number];

const EVERYTHING: readonly Thing[] = ['postgres', 'kafka', 'api', 'worker', 'executor'];
const ON_PROCESS = { needs: [], may: [] } as const;
const HAVE_PLANES = ['api', 'worker', 'executor'] as const;
const ON_PLANE = { targets: HAVE_PLANES, may: ['direction'] } as const;

const KINDS: Readonly<Record<FaultKind, Kind>> = {
  kill: { targets: EVERYTHING, ...ON_PROCESS },
  pause: { targets: EVERYTHING, ...ON_PROCESS },
  restart: { targets: EVERYTHING, ...ON_PROCESS },
  clock: { targets: ['worker'], needs: ['offset'], may: [] },
  tear: { targets: ['state-file'], ...ON_PROCESS },
  remove: { targets: ['state-file'], ...ON_PROCESS },
  cut: { targets: HAVE_PLANES, needs: ['plane'], may: [] },
  reset: { ...ON_PLANE, needs: ['plane'] },
  'half-open': { ...ON_PLANE, needs: ['plane'] },
  latency: { ...ON_PLANE, needs: ['plane', 'delay'] },
  jitter: { ...ON_PLANE, needs: ['plane', 'delay'] },
  bandwidth: { ...ON_PLANE, needs: ['plane', 'bytes'] },
};

const KEY_WORDS: Readonly<Record<FaultKey, { readonly one: string; readonly example: string }>> = {
  plane: { one: 'a plane', example: 'plane: registry' },
  direction: { one: 'a direction', example: 'direction: to-server' },
  delay: { one: 'a delay', example: 'delay: 200ms' },
  bytes: { one: 'a number of bytes', example: 'bytes: 50000/s' },
  offset: { one: 'an offset', example: 'offset: -10m' },
};

/** What each kind of fault has to have and may have, for the reference. */
export function keysOf(kind: FaultKind): { readonly needs: readonly FaultKey[]; readonly may: readonly FaultKey[] } {
  const { needs, may } = KINDS[kind];
  return { needs, may };
}

/** Whether a fault of this kind knows the key. */
export function takesKey(kind: FaultKind, key: FaultKey): boolean {
  const { needs, may } = KINDS[kind];
  return needs.includes(key) || may.includes(key);
}

/** The fleet that a fault is to hit, as far as it is known. */
export interface DrilledFleet {
  /** Null when it is not known. */
  readonly workers: number | null;
  /** Null when it is not known. */
  readonly executors: number | null;
  /** Whether it is the simulated fleet. */
  readonly simulated: boolean;
  /** Of what its detectors ask for a stop; null when it has none, undefined when it is not known. */
  readonly detects: 'tenant' | 'agent' | null | undefined;
}

/** What is wrong with a fault beyond the shape of its values. */
export function faultMeaning(fault: ReadFault, fleet: DrilledFleet): readonly Complaint[] {
  return [
    ...targetMeaning(fault, fleet),
    ...planeMeaning(fault, fleet),
    ...(fleet.simulated ? [] : clockMeaning(fault)),
    ...FAULT_KEYS.flatMap((key) => keyMeaning(fault, key)),
    ...durationMeaning(fault),
  ];
}

/** The planes that each sort of process has. */
export const PLANES_OF = {
  worker: ['registry', 'work', 'alerts'],
  executor: ['registry', 'alerts', 'control'],
  api: ['registry', 'control'],
} as const satisfies Readonly<Record<string, readonly Plane[]>>;

const WHOSE = { worker: 'a worker', executor: 'an executor', api: 'the API' } as const;

function targetMeaning({ kind, target }: ReadFault, { workers, executors }: DrilledFleet): readonly Complaint[] {
  const path = ['fault', 'target'];
  const { targets } = KINDS[kind];
  const counts = { worker: workers, executor: executors, postgres: null, kafka: null, 'state-file': null, api: null };
  const expected = targets
    .filter((one) => counts[one] !== 0)
    .map((one) => namesOf(one, counts[one]))
    .join(' or ');
  const hit = thingNamed(target);
  if (hit === null) return [{ path, found: `'${target}'`, expected, fix: 'write one of these' }];
  const { thing, number } = hit;
  if (!targets.includes(thing)) {
    return [
      { path, found: `${kind} of ${target}`, expected: `${kind} of ${expected}`, fix: 'choose another target or kind' },
    ];
  }
  const there = counts[thing];
  if (number === null || there === null || number <= there) return [];
  const fix = `name ${thing === 'executor' ? 'an executor' : 'a worker'} of this fleet, or raise fleet.${thing}s`;
  return [{ path, found: `'${target}'`, expected, fix }];
}

function namesOf(thing: Thing, count: number | null): string {
  if (thing !== 'worker' && thing !== 'executor') return thing;
  if (count === null) return `${thing}-1 and so on`;
  return count === 1 ? `${thing}-1` : `${thing}-1 to ${thing}-${count}`;
}

/** A process is on some planes and not on others. */
function planeMeaning({ kind, target, plane }: ReadFault, { detects }: DrilledFleet): readonly Complaint[] {
  const thing = thingNamed(target)?.thing;
  if (plane === undefined || !takesKey(kind, 'plane')) return [];
  if (thing !== 'worker' && thing !== 'executor' && thing !== 'api') return [];
  const planes: readonly Plane[] = PLANES_OF[thing];
  if (thing === 'worker' && plane === 'alerts' && detects === null) {
    const expected = 'fleet.detectors: a worker without detectors sends no alerts';
    const fix = 'write for example detectors: { writeRate: { per: tenant, perSecond: 40 } }';
    return [{ path: ['fault', 'plane'], found: `'alerts' of ${target}`, expected, fix }];
  }
  if (planes.includes(plane)) return [];
  const expected = `a plane of ${WHOSE[thing]}: ${planes.join(', ')}`;
  return [{ path: ['fault', 'plane'], found: `'${plane}' of ${target}`, expected, fix: 'write one of these' }];
}

function keyMeaning(fault: ReadFault, key: FaultKey): readonly Complaint[] {
  const path = ['fault', key];
  const { kind } = fault;
  const { one, example } = KEY_WORDS[key];
  if (fault[key] === undefined) {
    if (!KINDS[kind].needs.includes(key)) return [];
    const expected = key === 'plane' ? `the plane that a ${kind} is on` : `${one}, which a ${kind} has to have`;
    return [{ path, found: 'nothing', expected, fix: `add it, for example ${example}` }];
  }
  if (takesKey(kind, key)) return [];
  const takers = Object.entries(KINDS)
    .filter(([, { needs, may }]) => [...needs, ...may].includes(key))
    .map(([name]) => name)
    .join(', ');
  const fix = `remove it, or make the kind one of ${takers}`;
  return [{ path, aboutKey: true, found: `${one} on a ${kind}`, expected: `${one} on one of ${takers} only`, fix }];
}

/**
 * No program of any language can be lied to about the time from outside (a namespace offsets monotonic clocks only, and a
 * preloaded library is not everywhere): the simulated fleet reads its wall clock through a seam that others do not have.
 */
function clockMeaning({ kind }: ReadFault): readonly Complaint[] {
  if (kind !== 'clock') return [];
  const expected = 'the simulated fleet: the clock of a fleet with a command of its own cannot be set';
  return [
    { path: ['fault', 'kind'], found: "'clock' with fleet.command", expected, fix: 'remove it, or fleet.command' },
  ];
}

function durationMeaning(fault: ReadFault): readonly Complaint[] {
  if (fault.kind !== 'restart' || fault.for === undefined) return [];
  const expected = 'no time: a restart ends by itself';
  return [
    {
      path: ['fault', 'for'],
      aboutKey: true,
      found: 'a time on a restart',
      expected,
      fix: 'remove it, or make the kind kill',
    },
  ];
}
