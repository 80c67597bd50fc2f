import type { Complaint } from './complaint.ts';
import { thingNamed } from './crew.ts';
import { LEVER_WORDS, wordsIn } from './lever-words.ts';
import type { ReadLevers } from './levers-schema.ts';
import { nearest } from './nearest.ts';
import type { ReadScenario } from './schema.ts';
import type { ReadEntry } from './timeline-schema.ts';

/** What is wrong with a fleet's own command and switch; paths are of the scenario. */
export function ownFleetMeaning(fleet: ReadScenario['fleet']): readonly Complaint[] {
  const { command, deafTools, levers } = fleet;
  const deaf: readonly Complaint[] =
    command === undefined || deafTools.length === 0
      ? []
      : [
          {
            path: ['fleet', 'deafTools'],
            aboutKey: true,
            found: 'deafTools with fleet.command',
            expected:
              'the simulated fleet: nobody but the program itself can make its calls ignore their signal, and a fleet with a command of its own is not told to',
            fix: 'remove it, or fleet.command',
          },
        ];
  return levers === undefined ? deaf : [...deaf, ...leversMeaning(fleet, levers)];
}

function leversMeaning(fleet: ReadScenario['fleet'], levers: ReadLevers): readonly Complaint[] {
  const path = ['fleet', 'levers'];
  const complaints: Complaint[] = [];
  const refuse = (at: readonly string[], found: string, expected: string, fix: string): void => {
    complaints.push({ path: at, aboutKey: true, found, expected, fix });
  };
  if (fleet.command === undefined) {
    const expected = 'fleet.command: the simulated fleet has no switch of its own';
    refuse(path, 'levers without a command', expected, 'add the command that starts one worker');
  }
  const { executors, detectors, critical } = fleet;
  const isCritical = critical.capabilities.length > 0 || Object.keys(critical.classes).length > 0;
  const ofStore = { executors: executors > 0, detectors: detectors !== undefined, critical: isCritical };
  for (const [key, isThere] of Object.entries(ofStore)) {
    if (isThere) refuse(['fleet', key], `${key} with fleet.levers`, NO_STORE, 'remove it, or fleet.levers');
  }
  return [
    ...complaints,
    ...(['stop', 'release', 'status'] as const).flatMap((name) => leverMeaning([...path, name], levers[name])),
  ];
}

const NO_STORE = 'a fleet that uses the store of killdrill: one with a switch of its own has none';

function leverMeaning(path: readonly string[], lever: ReadLevers['status']): readonly Complaint[] {
  if (lever === undefined) return [];
  const texts = typeof lever === 'string' ? [lever] : lever;
  const unknown = texts.flatMap(wordsIn).find((name) => !LEVER_WORDS.some((known) => known === name));
  if (unknown !== undefined) {
    const meant = nearest(unknown, LEVER_WORDS);
    const expected = `one of ${LEVER_WORDS.map((word) => `{${word}}`).join(', ')}`;
    const fix = meant === null ? 'remove it' : `did you mean {${meant}}?`;
    return [{ path, found: `the unknown word {${unknown}}`, expected, fix }];
  }
  if (typeof lever !== 'string' || isHttp(lever)) return [];
  const expected = 'an http URL whose host is written out, or a command as a list of words';
  return [{ path, found: `'${lever}'`, expected, fix: 'write for example http://127.0.0.1:8080/stop?scope={scope}' }];
}

function isHttp(lever: string): boolean {
  const url = URL.canParse(lever.replaceAll(/[{}]/g, '')) ? new URL(lever.replaceAll(/[{}]/g, '')) : null;
  const host = /^https?:\/\/([^/?#]*)/i.exec(lever)?.[1] ?? '';
  return url !== null && host !== '' && !/[{}]/.test(host);
}

/** What a drill of a fleet with a switch of its own cannot do; paths are relative to the entry. */
export function leverEntryMeaning(entry: ReadEntry): readonly Complaint[] {
  if ('flip' in entry) return leverFlipMeaning(entry.flip);
  if ('fault' in entry) return leverFaultMeaning(entry.fault);
  if ('release' in entry) return leverReleaseMeaning(entry.release);
  const [kind = ''] = Object.keys(entry).filter((key) => !['at', 'when', 'after'].includes(key));
  const fix = 'remove the entry, or fleet.levers';
  return [{ path: [kind], aboutKey: true, found: `${kind} with fleet.levers`, expected: NO_STORE, fix }];
}

type Of<K extends string> = Extract<ReadEntry, Readonly<Record<K, unknown>>>;

function leverFlipMeaning({ via, wait, queue, mode }: Of<'flip'>['flip']): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const refuse = (key: string, value: string, expected: string, fix: string): void => {
    complaints.push({ path: ['flip', key], found: `'${value}' with fleet.levers`, expected, fix });
  };
  if (via !== 'postgres') refuse('via', via, "no path of killdrill's: the lever is pulled", 'remove it');
  if (wait !== 'durable') refuse('wait', wait, 'durable: a lever says when the stop holds, and no more', 'remove it');
  if (queue === 'drain') refuse('queue', queue, 'another policy: nobody sees what a queue lets pass', 'remove it');
  if (mode === 'halt_noncritical')
    refuse('mode', mode, 'halt_all or emergency: what is critical is declared in the store', 'write mode: halt_all');
  return complaints;
}

function leverReleaseMeaning({ expect, via }: Of<'release'>['release']): readonly Complaint[] {
  const fix = 'remove it, or fleet.levers';
  const wrong =
    expect !== 'taken' ? (['expect', expect] as const) : via !== 'postgres' ? (['via', via] as const) : null;
  if (wrong === null) return [];
  const [key, value] = wrong;
  return [{ path: ['release', key], found: `'${value}' with fleet.levers`, expected: NO_STORE, fix }];
}

const ON_WORKERS = ['kill', 'pause', 'restart'];

function leverFaultMeaning({ kind, target }: Of<'fault'>['fault']): readonly Complaint[] {
  const thing = thingNamed(target)?.thing;
  if (thing === undefined || (thing === 'worker' && (ON_WORKERS.includes(kind) || kind === 'clock'))) return [];
  const expected = `${ON_WORKERS.join(', ')} of a worker: this fleet has no server and no connection of killdrill's`;
  return [
    { path: ['fault', 'kind'], found: `${kind} of ${target} with fleet.levers`, expected, fix: 'write another fault' },
  ];
}
