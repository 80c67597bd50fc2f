import { Detection } from '../src/detect/detection.ts';
import { readDetectors } from '../src/detect/config.ts';
import { DetectionObserver } from '../src/detect/detection-observer.ts';
import { fingerprint } from '../src/detect/fingerprint.ts';
import type { Actor } from '../src/actor.ts';
import type { Observation } from '../src/detect/observation.ts';
import { systemClock } from '../src/index.ts';
import { median } from './statistics.ts';

export interface DetectRow {
  readonly what: string;
  /** Nanoseconds for one observation, median over the rounds. */
  readonly ns: number;
  readonly rounds: number;
  readonly perRound: number;
}

const ROUNDS = 15;
const WINDOW_MS = 60_000;
const RATE = { kind: 'write-rate', per: 'tenant', windowMs: WINDOW_MS, perSecond: 1e9 };
const PER_CAPABILITY = { kind: 'write-rate', per: 'capability', windowMs: WINDOW_MS, perSecond: 1e9 };
const LOOP = { kind: 'loop', per: 'run', windowMs: WINDOW_MS, times: 1e9 };
const GUARDRAIL = { kind: 'guardrail', per: 'tenant', metric: 'toxicity', windowMs: WINDOW_MS, redFrom: 1e9 };
const COSTS = [
  { kind: 'cost', per: 'run', windowMs: WINDOW_MS, amount: 1e9 },
  { kind: 'cost', per: 'tenant', windowMs: WINDOW_MS, amount: 1e9 },
];

interface Subject {
  readonly what: string;
  readonly perRound: number;
  readonly once: (at: number) => void;
}

/** What an observation costs the agent that makes it, thresholds out of reach; all in one process, rounds interleaved. */
export function benchDetectors(): readonly DetectRow[] {
  const subjects = makeSubjects();
  const samples = new Map(subjects.map(({ what }) => [what, [] as number[]]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const { what, perRound, once } of subjects) {
      const begin = process.hrtime.bigint();
      for (let at = 0; at < perRound; at += 1) once(at);
      const ns = Number(process.hrtime.bigint() - begin) / perRound;
      if (round > 0) samples.get(what)?.push(ns); // the first round warms up
    }
  }
  return subjects.map(({ what, perRound }) => {
    return { what, ns: median(samples.get(what) ?? []), rounds: ROUNDS, perRound };
  });
}

function makeSubjects(): readonly Subject[] {
  const actors = Array.from({ length: 1_000 }, (_, at) => {
    return { tenant: `tenant-${at % 20}`, feature: 'inbox', agent: `agent-${at % 64}`, run: `run-${at}` };
  });
  const writes = actors.map((actor, at): Observation => {
    const print = fingerprint({ to: at });
    return { ...actor, kind: 'effect', capability: 'write/mail', access: 'write', fingerprint: print };
  });
  const costs = actors.map((actor): Observation => ({ ...actor, kind: 'cost', amount: 0.01 }));
  const readings = actors.map((actor): Observation => ({ ...actor, kind: 'metric', name: 'toxicity', value: 0.1 }));
  const flood = detection([LOOP], 1_000);
  let nth = 0;
  const mail = { to: 'someone@example.com', subject: 'Hello', body: 'x'.repeat(1_000), options: { html: true } };
  return [
    observing('a write, rate per tenant', 200_000, [RATE], writes),
    observing('a write, rates per tenant and capability, and loop', 200_000, [RATE, PER_CAPABILITY, LOOP], writes),
    telling('the same, as the gate tells of it', [RATE, PER_CAPABILITY, LOOP], actors),
    observing('a cost, per run and per tenant', 200_000, COSTS, costs),
    observing('a reading of a guardrail', 200_000, [GUARDRAIL], readings),
    {
      what: 'a call never seen before, table full (1,000 series)',
      perRound: 100_000,
      once: (at) => {
        nth += 1;
        const actor = actors[at % actors.length];
        if (actor === undefined) return;
        const print = `f${nth}`;
        flood.observe({ ...actor, kind: 'effect', capability: 'write/mail', access: 'write', fingerprint: print });
      },
    },
    { what: 'a fingerprint of 1 kB of arguments', perRound: 20_000, once: () => void fingerprint(mail) },
  ];
}

function observing(what: string, perRound: number, rules: readonly unknown[], all: readonly Observation[]): Subject {
  const detectors = detection(rules, 10_000);
  return {
    what,
    perRound,
    once: (at) => {
      const observation = all[at % all.length];
      if (observation !== undefined) detectors.observe(observation);
    },
  };
}

function telling(what: string, rules: readonly unknown[], actors: readonly Actor[]): Subject {
  const observer = new DetectionObserver(detection(rules, 10_000));
  const subjects = actors.map((actor) => {
    return { ...actor, lineage: [], capability: 'write/mail', admittedRevision: null, critical: false };
  });
  const effect = { capability: 'write/mail', access: 'write', idempotencyKey: 'k', deadlineMs: 1_000 } as const;
  const effects = subjects.map((_, at) => ({ ...effect, fingerprint: fingerprint({ to: at }) }));
  return {
    what,
    perRound: 200_000,
    once: (at) => {
      const [subject, sent] = [subjects[at % subjects.length], effects[at % effects.length]];
      if (subject !== undefined && sent !== undefined) observer.sent(subject, sent);
    },
  };
}

function detection(rules: readonly unknown[], maxSeries: number): Detection {
  const config = readDetectors({ detector: 'bench', maxSeries, rules }, 'the bench');
  return new Detection(config, { raise: () => Promise.resolve() }, systemClock);
}
