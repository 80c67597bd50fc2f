import type { FaultKind } from '../history/event.ts';
import type { Complaint } from './complaint.ts';
import type { ReadEntry } from './timeline-schema.ts';

type ReadFault = Extract<ReadEntry, { readonly fault: unknown }>['fault'];

/** Which things each fault can be done to. */
const TARGETS: Readonly<Record<FaultKind, readonly ('postgres' | 'worker')[]>> = {
  kill: ['postgres', 'worker'],
  pause: ['postgres', 'worker'],
  restart: ['postgres'],
  cut: ['worker'],
};

/** What is wrong with a fault beyond the shape of its values; `workers` is null when it is not known. */
export function faultMeaning(fault: ReadFault, workers: number | null): readonly Complaint[] {
  return [...targetMeaning(fault, workers), ...planeMeaning(fault), ...durationMeaning(fault)];
}

function targetMeaning({ kind, target }: ReadFault, workers: number | null): readonly Complaint[] {
  const path = ['fault', 'target'];
  const number = /^worker-([1-9]\d*)$/.exec(target)?.[1];
  const thing = target === 'postgres' ? 'postgres' : 'worker';
  const last = workers === null ? 'worker-1 and so on' : workers === 1 ? 'worker-1' : `worker-1 to worker-${workers}`;
  const expected = TARGETS[kind].map((one) => (one === 'worker' ? last : one)).join(' or ');
  if (thing === 'worker' && number === undefined) {
    return [{ path, found: `'${target}'`, expected, fix: 'write one of these' }];
  }
  if (!TARGETS[kind].includes(thing)) {
    return [
      { path, found: `${kind} of ${target}`, expected: `${kind} of ${expected}`, fix: 'choose another target or kind' },
    ];
  }
  if (number === undefined || workers === null || Number(number) <= workers) return [];
  return [{ path, found: `'${target}'`, expected, fix: 'name a worker of this fleet, or raise fleet.workers' }];
}

function planeMeaning({ kind, plane }: ReadFault): readonly Complaint[] {
  const path = ['fault', 'plane'];
  if (kind === 'cut' && plane === undefined) {
    return [
      { path, found: 'nothing', expected: 'the plane that a cut cuts', fix: 'add it, for example plane: registry' },
    ];
  }
  if (kind === 'cut' || plane === undefined) return [];
  const fix = 'remove it, or make the kind cut';
  return [{ path, aboutKey: true, found: `a plane on a ${kind}`, expected: 'a plane on a cut only', fix }];
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
