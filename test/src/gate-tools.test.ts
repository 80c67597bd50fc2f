import { generateText, stepCountIs, tool } from 'ai';
import type { ToolSet } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { EffectFailedError } from '../../src/call.ts';
import type { GateToolsOptions } from '../../src/gate-tools.ts';
import { gateTools } from '../../src/gate-tools.ts';
import { HaltedError } from '../../src/halted-error.ts';
import { Fate } from './fate.ts';
import { GateRig } from './gate-rig.ts';
import { settled } from './manual-clock.ts';

const RUN = { run: 'r1', agent: 'a1', tenant: 'acme', feature: 'chat' };
const OPTIONS: GateToolsOptions = { deadlineMs: 60_000 };
const USAGE = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};
const given = (more: object = {}) => ({ toolCallId: 'call-1', messages: [], ...more });

/** A model that asks for a tool at every call, for ever; it asks the gate, as a real one does by `wrapFetch`. */
function insistent(rig: GateRig, toolName: string): MockLanguageModelV3 {
  let calls = 0;
  return new MockLanguageModelV3({
    doGenerate: async () => {
      calls += 1;
      const effect = {
        capability: 'model/chat',
        access: 'write',
        idempotencyKey: `m${calls}`,
        deadlineMs: 60_000,
      } as const;
      await rig.gate.run(effect, () => Promise.resolve());
      const asked = { type: 'tool-call', toolCallId: `call-${calls}`, toolName, input: '{"to":"bob"}' } as const;
      const finishReason = { unified: 'tool-calls', raw: undefined } as const;
      return { content: [asked], finishReason, usage: USAGE, warnings: [] };
    },
  });
}

function mailTools(send: (signal: AbortSignal | undefined, to: string) => Promise<string>) {
  return {
    mail: tool({
      description: 'sends a mail',
      inputSchema: z.object({ to: z.string() }),
      execute: ({ to }, { abortSignal }) => send(abortSignal, to),
    }),
    ask: tool({ inputSchema: z.object({}) }),
  } satisfies ToolSet;
}

/** The `execute` of a gated tool, called in a run. */
function executed(rig: GateRig, execute: unknown, options: Partial<GateToolsOptions> = {}) {
  const gated = gateTools(rig.gate, { it: { execute } }, { ...OPTIONS, ...options });
  return gated.it.execute as (input: unknown, given: object) => unknown;
}

describe("the AI SDK's tools behind a gate", () => {
  it('send what the model asks for, each as an effect with the id of its call', async () => {
    const rig = new GateRig();
    const sent: string[] = [];
    const tools = gateTools(
      rig.gate,
      mailTools((_, to) => Promise.resolve(`sent to ${sent.push(to)}`)),
      OPTIONS,
    );
    const { steps } = await rig.gate.enter(RUN, () =>
      generateText({ model: insistent(rig, 'mail'), tools, prompt: 'go', stopWhen: stepCountIs(2), maxRetries: 0 }),
    );
    expect(steps.flatMap(({ toolResults }) => toolResults.map(({ output }) => output))).toEqual([
      'sent to 1',
      'sent to 2',
    ]);
    expect(rig.sent.flat().filter(({ capability }) => capability !== 'model/chat')).toMatchObject([
      { capability: 'tool/mail', access: 'write', idempotencyKey: 'call-1', deadlineMs: 60_000, run: 'r1' },
      { capability: 'tool/mail', idempotencyKey: 'call-2' },
    ]);
    expect(rig.recorded.map(({ kind }) => kind)).toEqual(['landed', 'landed', 'landed', 'landed']);
  });

  it('are ended by a stop, and so is the loop around them: its next model call is refused', async () => {
    const rig = new GateRig();
    let signal: AbortSignal | undefined;
    const never = mailTools((its) => {
      signal = its;
      return new Promise((_, reject) => its?.addEventListener('abort', () => reject(its.reason as Error)));
    });
    const tools = gateTools(rig.gate, never, OPTIONS);
    const model = insistent(rig, 'mail');
    const fate = new Fate(
      rig.gate.enter(RUN, () => generateText({ model, tools, prompt: 'go', stopWhen: stepCountIs(50), maxRetries: 0 })),
    );
    await vi.waitFor(() => expect(signal).toBeDefined());
    rig.stop({ scope: 'tenant', target: 'acme' });
    await vi.waitFor(() => expect(fate.error).toBeInstanceOf(HaltedError));
    expect(signal?.reason).toBe(fate.error);
    expect(model.doGenerateCalls).toHaveLength(2);
    expect(rig.recorded.map(({ kind }) => kind)).toEqual(['landed', 'unknown']);
    expect([rig.inFlight.count, rig.clock.timerCount]).toEqual([0, 0]);
  });

  it('keep what has no execute, and everything else of a tool', () => {
    const tools = mailTools(() => Promise.resolve(''));
    const gated = gateTools(new GateRig().gate, tools, OPTIONS);
    expect(gated.ask).toBe(tools.ask);
    expect({ ...gated.mail, execute: null }).toEqual({ ...tools.mail, execute: null });
    expect(gated.mail.execute).not.toBe(tools.mail.execute);
  });

  it('are what effectOf says', async () => {
    const rig = new GateRig();
    const effectOf: GateToolsOptions['effectOf'] = ({ toolName, toolCallId, input }) => ({
      capability: `write/${toolName}`,
      idempotencyKey: `${toolCallId}/${String(input)}`,
    });
    await rig.gate.enter(RUN, () => executed(rig, async () => 1, { effectOf })('bob', given()));
    expect(rig.sent.flat()).toMatchObject([{ capability: 'write/it', idempotencyKey: 'call-1/bob' }]);
  });

  it("obey the SDK's own signal; a tool that says it did nothing has failed", async () => {
    const rig = new GateRig();
    const controller = new AbortController();
    const deaf = executed(rig, () => new Promise(() => undefined));
    const fate = new Fate(
      rig.gate.enter(RUN, () => deaf(null, given({ abortSignal: controller.signal }))) as Promise<unknown>,
    );
    await vi.waitFor(() => expect(rig.inFlight.count).toBe(1));
    controller.abort(new Error('the chat was closed'));
    await settled();
    expect(fate.now).toBe('rejected the chat was closed');
    const failing = executed(rig, () => Promise.reject(new EffectFailedError('no such address')));
    await expect(rig.gate.enter(RUN, () => failing(null, given({ toolCallId: '2' })))).rejects.toThrow('no such');
    await vi.waitFor(() => expect(rig.recorded).toMatchObject([{ kind: 'failed' }]));
  });
});

describe('a tool that answers in pieces', () => {
  async function* counting(): AsyncGenerator<number> {
    yield 1;
    yield 2;
  }

  it('stays a generator, in flight until it is drained', async () => {
    const rig = new GateRig();
    await rig.gate.enter(RUN, async () => {
      const values = executed(rig, counting)(null, given()) as AsyncGenerator<number>;
      expect((await values.next()).value).toBe(1);
      expect(rig.inFlight.count).toBe(1);
      expect([(await values.next()).value, (await values.next()).done]).toEqual([2, true]);
    });
    await vi.waitFor(() => expect(rig.recorded).toMatchObject([{ kind: 'landed' }]));
    expect(rig.inFlight.count).toBe(0);
  });

  it('is unknown when it is left, and cleans up', async () => {
    const rig = new GateRig();
    let cleaned = false;
    const values = executed(rig, async function* () {
      try {
        yield* counting();
      } finally {
        cleaned = true;
      }
    });
    await rig.gate.enter(RUN, async () => {
      for await (const value of values(null, given()) as AsyncGenerator<number>) if (value === 1) break;
    });
    await vi.waitFor(() => expect(rig.recorded).toMatchObject([{ kind: 'unknown', detail: /did not wait/ }]));
    expect([cleaned, rig.inFlight.count]).toEqual([true, 0]);
  });

  it('is ended by a stop between two pieces, even if it is deaf', async () => {
    const rig = new GateRig();
    const values = executed(rig, async function* () {
      yield 1;
      await new Promise(() => undefined);
    });
    const fate = await rig.gate.enter(RUN, async () => {
      const pieces = values(null, given()) as AsyncGenerator<number>;
      await pieces.next();
      return new Fate(pieces.next());
    });
    rig.stop({ scope: 'tenant', target: 'acme' });
    await settled();
    expect(fate.error).toBeInstanceOf(HaltedError);
    expect(rig.inFlight.count).toBe(1);
    rig.clock.advance(OPTIONS.deadlineMs);
    expect(rig.inFlight.unconfirmed()).toMatchObject([{ capability: 'tool/it' }]);
  });

  it('is refused with its first piece', async () => {
    const rig = new GateRig();
    rig.stop({ scope: 'tenant', target: 'acme' });
    const values = rig.gate.enter(RUN, () => (executed(rig, counting)(null, given()) as AsyncGenerator<number>).next());
    await expect(values).rejects.toBeInstanceOf(HaltedError);
    expect(rig.sent).toEqual([]);
  });

  it('of a plain function is drained, and its last piece is the result', async () => {
    const rig = new GateRig();
    const plain = executed(rig, () => counting());
    expect(await rig.gate.enter(RUN, () => plain(null, given()))).toBe(2);
    await vi.waitFor(() => expect(rig.recorded).toMatchObject([{ kind: 'landed' }]));
  });
});
