import type { FaultKind } from '../history/event.ts';
import type { Complaint } from './complaint.ts';
import type { ReadEntry } from './timeline-schema.ts';

type ReadFault = Extract<ReadEntry, { readonly fault: unknown }>['fault'];

interface Kind {
  /** Which things it can be done to. */
  readonly targets: readonly ('postgres' | 'worker')[];
  /** Keys that it has to have, and those that it may have, besides kind, target and for. */
  readonly needs: readonly FaultKey[];
  readonly may: readonly FaultKey[];
}

/** Keys that some kinds of faults know and others do not. */
const FAULT_KEYS = ['plane', 'direction', 'delay', 'bytes', 'offset'] as const;
export type FaultKey = (typeof FAULT_KEYS)[number];

const ON_PROCESS = { needs: [], may: [] } as const;
const ON_PLANE = { targets: ['worker'], may: ['direction'] } as const;

const KINDS: Readonly<Record<FaultKind, Kind>> = {
  kill: { targets: ['postgres', 'worker'], ...ON_PROCESS },
  pause: { targets: ['postgres', 'worker'], ...ON_PROCESS },
  restart: { targets: ['postgres', 'worker'], ...ON_PROCESS },
  clock: { targets: ['worker'], needs: ['offset'], may: [] },
  cut: { targets: ['worker'], needs: ['plane'], may: [] },
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
  /** Whether it is the simulated fleet. */
  readonly simulated: boolean;
}

/** What is wrong with a fault beyond the shape of its values. */
export function faultMeaning(fault: ReadFault, { workers, simulated }: DrilledFleet): readonly Complaint[] {
  return [
    ...targetMeaning(fault, workers),
    ...(simulated ? [] : clockMeaning(fault)),
    ...FAULT_KEYS.flatMap((key) => keyMeaning(fault, key)),
    ...durationMeaning(fault),
  ];
}

function targetMeaning({ kind, target }: ReadFault, workers: number | null): readonly Complaint[] {
  const path = ['fault', 'target'];
  const number = /^worker-([1-9]\d*)$/.exec(target)?.[1];
  const thing = target === 'postgres' ? 'postgres' : 'worker';
  const last = workers === null ? 'worker-1 and so on' : workers === 1 ? 'worker-1' : `worker-1 to worker-${workers}`;
  const { targets } = KINDS[kind];
  const expected = targets.map((one) => (one === 'worker' ? last : one)).join(' or ');
  if (thing === 'worker' && number === undefined) {
    return [{ path, found: `'${target}'`, expected, fix: 'write one of these' }];
  }
  if (!targets.includes(thing)) {
    return [
      { path, found: `${kind} of ${target}`, expected: `${kind} of ${expected}`, fix: 'choose another target or kind' },
    ];
  }
  if (number === undefined || workers === null || Number(number) <= workers) return [];
  return [{ path, found: `'${target}'`, expected, fix: 'name a worker of this fleet, or raise fleet.workers' }];
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
