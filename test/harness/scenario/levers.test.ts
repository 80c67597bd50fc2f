import { describe, expect, it } from 'vitest';
import { filled } from '../../../harness/scenario/lever-words.ts';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { ScenarioError } from '../../../harness/scenario/scenario-error.ts';
import { scenarioToYaml } from '../../../harness/scenario/to-yaml.ts';
import { scenarioText, timelineText } from './scenario-text.ts';

const STOP = '[./switch, stop, "{scope}", "{target}"]';
const LEVERS = `{ stop: ${STOP}, release: "https://switch.example:8443/release?target={target}" }`;

function fleet(levers = LEVERS, more = 'command: [python3, fleet.py]'): string {
  return `fleet: { workers: 2, ${more}, levers: ${levers} }`;
}

function parse(changes: Readonly<Record<string, string | null>>) {
  return parseScenario(scenarioText({ fleet: fleet(), ...changes }), 'x.yaml', []);
}

function refusal(changes: Readonly<Record<string, string | null>>): string {
  try {
    parse(changes);
  } catch (error) {
    if (error instanceof ScenarioError) return error.message;
    throw error;
  }
  throw new Error('expected a refusal');
}

describe('fleet.levers', () => {
  it('are commands or URLs, with a bound', () => {
    expect(parse({}).fleet.levers).toEqual({
      stop: { kind: 'command', words: ['./switch', 'stop', '{scope}', '{target}'] },
      release: { kind: 'url', url: 'https://switch.example:8443/release?target={target}' },
      status: null,
      withinMs: 5_000,
    });
  });

  it('read back as they were written, and no path of a stop with them', () => {
    const scenario = parse({ fleet: fleet(LEVERS.replace(' }', ', status: [./switch, status], within: 2s }')) });
    const text = scenarioToYaml(scenario);
    expect(parseScenario(text, 'y.yaml', [])).toEqual(scenario);
    expect(text).not.toMatch(/postgres/);
  });

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['without a command', { fleet: fleet(LEVERS, 'lease: 1s') }, /levers without a command.*fleet\.command/s],
    ['of no kind', { fleet: fleet('{ stop: 7, release: [a] }') }, /a command as a list of words, or an http URL/],
    ['of no words', { fleet: fleet('{ stop: [], release: [a] }') }, /a list of 1 to 64 words/],
    ['without a release', { fleet: fleet('{ stop: [a] }') }, /release/],
    ['with another word', { fleet: fleet('{ stop: [a, "{tenant}"], release: [a] }') }, /unknown word \{tenant\}/],
    ['with a word misspelt', { fleet: fleet('{ stop: [a, "{taget}"], release: [a] }') }, /did you mean \{target\}/],
    ['at no URL', { fleet: fleet('{ stop: ./switch, release: [a] }') }, /an http URL whose host is written out/],
    ['at any host', { fleet: fleet('{ stop: "http://{target}/x", release: [a] }') }, /whose host is written out/],
    ['at a file', { fleet: fleet('{ stop: "file:///etc/passwd", release: [a] }') }, /an http URL/],
    ['for ever', { fleet: fleet(LEVERS.replace(' }', ', within: 10m }')) }, /within.*a time from 100ms to 1m/s],
    ['with executors', { fleet: fleet(LEVERS, 'command: [a], executors: 1') }, /executors with fleet\.levers/],
    ['with critical', { fleet: fleet(LEVERS, 'command: [a], critical: { capabilities: [a/b] }') }, /critical with/],
    ['with a contract', { contract: 'contract: { model: a, prompt: b }' }, /a contract with fleet\.levers/],
    ['and a resume', { timeline: timelineText('{ resume: { all: true } }') }, /resume with fleet\.levers/],
    ['and a lost store', { timeline: timelineText('{ fault: { kind: kill, target: postgres } }') }, /kill of postgres/],
    [
      'and a red release',
      { timeline: timelineText('{ release: { scope: tenant, target: $busiest, expect: refused } }') },
      /'refused' with fleet\.levers/,
    ],
    [
      'and a path',
      { timeline: 'timeline: [{ flip: { scope: global, mode: halt_all, via: file } }]' },
      /'file' with fleet\.levers/,
    ],
    [
      'and a drain',
      { timeline: 'timeline: [{ flip: { scope: global, mode: halt_all, queue: drain, drainFor: 1s } }]' },
      /'drain' with fleet\.levers/,
    ],
    [
      'and what is critical',
      { timeline: 'timeline: [{ flip: { scope: global, mode: halt_noncritical } }]' },
      /'halt_noncritical' with fleet\.levers/,
    ],
  ])('are refused %s', (_, changes, expected) => {
    expect(refusal(changes)).toMatch(expected);
  });

  it('leave faults on workers', () => {
    const timeline = timelineText('{ fault: { kind: kill, target: worker-1, for: 1s } }');
    expect(parse({ timeline }).timeline).toHaveLength(2);
  });
});

describe('words of a lever', () => {
  const values = { scope: 'tenant', target: 'a b&c', mode: 'halt_all', reason: '{id} $(x)', id: '7' } as const;

  it('are put into a command as they are, once', () => {
    const lever = { kind: 'command', words: ['a', '{"on":"{scope}:{target}"}', '{reason}'] } as const;
    expect(filled(lever, values)).toEqual({ kind: 'command', words: ['a', '{"on":"tenant:a b&c"}', '{id} $(x)'] });
  });

  it('are percent-encoded in a URL', () => {
    expect(filled({ kind: 'url', url: 'http://h/{target}?r={reason}' }, values)).toEqual({
      ...{ kind: 'url', url: 'http://h/a%20b%26c?r=%7Bid%7D%20%24(x)' },
    });
  });
});

describe('deafTools', () => {
  it('are refused with a fleet.command, and the error says why', () => {
    const deaf = 'fleet: { workers: 1, command: [a], deafTools: [model/chat] }';
    expect(refusal({ fleet: deaf })).toMatch(/deafTools with fleet\.command.*the simulated fleet.*is not told to/s);
  });
});
