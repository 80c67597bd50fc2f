import { describe, expect, it } from 'vitest';
import { judge } from '../../../harness/checkers/judge.ts';
import type { EventBody } from '../../../harness/history/event.ts';
import type { LeversSpec } from '../../../harness/scenario/scenario.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { effect, plus, recordOf, withScenario, without } from './history-builder.ts';
import type { DraftDrill } from './history-builder.ts';

const LEVER = { kind: 'command', words: ['./switch'] } as const;
const LEVERS: LeversSpec = { stop: LEVER, release: LEVER, status: LEVER, withinMs: 1_000 };

/** The clean drill as one of a fleet with a switch of its own: nothing of the store is there. */
function leverDrill(levers: LeversSpec = LEVERS): DraftDrill {
  const own = withScenario(cleanDrill(), (scenario) => ({
    ...scenario,
    fleet: { ...scenario.fleet, command: ['./fleet'], levers },
  }));
  return without(own, ({ body: { type } }) => type.startsWith('store.') || type === 'probe.planted');
}

function status(atMs: number, said: string | null, expected = 'halt_all') {
  const on = { scope: 'tenant', target: 'acme' } as const;
  const answer = { expected, said, error: said === null ? 'it said nothing' : null } as const;
  const body: EventBody = { type: 'lever.status', flip: 1, moment: 'after', ...on, ...answer };
  return { atMs, body };
}

function verdicts(draft: DraftDrill) {
  const { properties, ...judgement } = judge(recordOf(draft));
  const of = (name: string) => properties.find((one) => one.name === name);
  return { of, properties, ...judgement };
}

const WITNESSED = [
  'no_effect_after_stop',
  'in_flight_cancelled',
  'no_new_children',
  'blast_radius_contained',
  'no_spurious_halt',
  'release_takes_effect',
];

describe('a fleet with a switch of its own', () => {
  it('is judged by what the witness alone decides, and passes', () => {
    const drill = verdicts(plus(leverDrill(), status(AT.durable + 1, 'halt_all')));
    expect(drill.worst).toBeNull();
    expect(drill.verdict).toBe('pass');
    for (const name of [...WITNESSED, 'flips_on_record']) expect(drill.of(name)?.verdict, name).toBe('pass');
  });

  it('is not instrumented for the rest, and the report says in one sentence what was not looked at', () => {
    const { properties, notes, of } = verdicts(leverDrill({ ...LEVERS, status: null }));
    const without = properties.filter(({ reason }) => reason.startsWith('not instrumented: '));
    expect(without.map(({ verdict }) => verdict)).toEqual(without.map(() => 'not_applicable'));
    expect(of('no_intent_after_stop')?.reason).toMatch(/it needs the journal/);
    expect(of('queue_honours_policy')?.reason).toMatch(/it needs the queue/);
    expect(of('flips_on_record')?.reason).toMatch(/it needs the record of flips/);
    const sentence = notes.filter((note) => note.startsWith('not looked at'));
    expect(sentence).toHaveLength(1);
    for (const { name } of without) expect(sentence[0]).toContain(name);
    expect(sentence[0]).toContain(`${without.length} of ${properties.length} properties`);
  });

  it('shows nothing when all that was asked for is not instrumented', () => {
    const narrow = withScenario(leverDrill(), (scenario) => ({
      ...scenario,
      expect: { ...scenario.expect, properties: ['no_intent_after_stop', 'ledger_complete'] },
    }));
    expect(verdicts(narrow)).toMatchObject({ verdict: 'inconclusive', exitCode: 2 });
  });

  it('fails by an effect after the stop, as any fleet does', () => {
    const late = effect({
      atMs: AT.stop + 900,
      worker: 1,
      run: 'a1',
      capability: 'write/mail',
      key: 'a1/9',
      step: null,
    });
    const run = leverDrill().runs.find(({ tenant }) => tenant === 'acme')?.run ?? '';
    const draft = plus(
      leverDrill(),
      ...late.map((one) => ({ ...one, body: { ...one.body, ...('run' in one.body ? { run } : {}) } })),
    );
    expect(verdicts(draft).of('no_effect_after_stop')?.verdict).toBe('fail');
  });

  it('fails when its own switch says otherwise than it was told, and is inconclusive when it says nothing', () => {
    const wrong = verdicts(plus(leverDrill(), status(AT.durable + 1, 'disengaged'), status(AT.durable + 2, null)));
    expect(wrong.of('flips_on_record')).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(/said that tenant:acme is 'disengaged'; 'halt_all' is what it had taken/) as string,
    });
    const mute = verdicts(plus(leverDrill(), status(AT.durable + 1, null)));
    expect(mute.of('flips_on_record')?.verdict).toBe('inconclusive');
  });
});

describe('what a fleet did that it should not have', () => {
  const life = { worker: 'worker-1', channel: 1 } as const;

  it('keeps a drill from passing when a worker ended by itself, which is named with its last words', () => {
    const exit: EventBody = { type: 'worker.exited', ...life, code: 3, signal: null, expected: false };
    const words: EventBody = { type: 'worker.lastWords', ...life, text: 'no memory\nleft' };
    const own = without(cleanDrill(), ({ body }) => body.type === 'worker.exited' && body.channel === 1);
    const atMs = AT.traffic + 1_500;
    const { verdict, expectations, notes } = verdicts(plus(own, { atMs, body: exit }, { atMs: atMs + 9, body: words }));
    expect(verdict).not.toBe('pass');
    const planned = expectations.find(({ name }) => name === 'went_as_planned');
    expect(planned).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringMatching(/worker-1 ended by itself \(exit code 3\).*no memory \/ left/) as string,
    });
    expect(notes).toContainEqual(expect.stringMatching(/^worker-1 ended by itself/));
  });

  it('is said in notes when it ignored SIGTERM or left a process behind', () => {
    const forced: EventBody = { type: 'worker.forced', worker: 'worker-2', afterMs: 5_000 };
    const left: EventBody = { type: 'worker.leftBehind', worker: 'worker-1', pid: 7, command: 'sleep 1000' };
    const { verdict, notes } = verdicts(
      plus(cleanDrill(), { atMs: AT.end, body: forced }, { atMs: AT.end, body: left }),
    );
    expect(verdict).toBe('pass');
    expect(notes).toContain('worker-2 ignored SIGTERM for 5 s and was killed');
    expect(notes).toContain('worker-1 left a process behind, which was killed: 7 sleep 1000');
  });
});
