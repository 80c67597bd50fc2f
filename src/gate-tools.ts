import type { Effect } from './effect.ts';
import { KilldrillError } from './errors.ts';
import { runJoined } from './joined-call.ts';
import type { JoinedSending, Sender } from './joined-call.ts';
import { whenAborted } from './joined-signal.ts';

/** A call of a tool, as a model asked for it. */
export interface ToolCall {
  readonly toolName: string;
  readonly toolCallId: string;
  readonly input: unknown;
}

export interface GateToolsOptions {
  /** How long a tool may take, milliseconds; there is no default, since a call without an end cannot be accounted for. */
  readonly deadlineMs: number;
  /**
   * Which effect a tool's call is; what is left out keeps its default: capability `tool/<name>`, access `write`, and the tool
   * call's id as idempotency key.
   */
  readonly effectOf?: (call: ToolCall) => Partial<Effect>;
}

/** What the AI SDK gives a tool's `execute` beside its input; of it these are read, the rest is passed on. */
interface ToolOptions {
  readonly toolCallId: string;
  readonly abortSignal?: AbortSignal | undefined;
}

type Execute = (input: unknown, options: ToolOptions) => unknown;

/** One call, ready to be sent. */
interface Prepared {
  readonly sender: Sender;
  readonly effect: Effect;
  readonly caller: AbortSignal | null;
  readonly start: (signal: AbortSignal) => unknown;
}

/**
 * Wraps the tools of the AI SDK (package `ai`, a `ToolSet`; versions 5 and 6) so that each `execute` asks the gate first, and is given a
 * signal that fires with the gate's as with the SDK's own. Tools without `execute` stay as they are; so does everything else
 * of a tool.
 *
 * A tool that is an async generator stays one: it is in flight until it was drained or left. What a plain function returns as
 * an async iterable is drained, and its last value is the result.
 *
 * The tools reject as `Gate.run`. The SDK hands such an error to the model and goes on; the latch refuses every later call of
 * the run, so that its loop ends with the next model call that asks the gate, too (`wrapFetch`).
 */
export function gateTools<Tools extends Readonly<Record<string, object>>>(
  sender: Sender,
  tools: Tools,
  options: GateToolsOptions,
): Tools {
  const gated = Object.entries(tools).map(([toolName, tool]) => [toolName, gateTool(sender, toolName, tool, options)]);
  return Object.fromEntries(gated) as Tools;
}

function gateTool(sender: Sender, toolName: string, tool: object, options: GateToolsOptions): object {
  if (!('execute' in tool) || typeof tool.execute !== 'function') return tool;
  const execute = tool.execute as Execute;
  const prepare = (input: unknown, given: ToolOptions): Prepared => ({
    sender,
    effect: effectFor({ toolName, toolCallId: given.toolCallId, input }, options),
    caller: given.abortSignal ?? null,
    start: (signal) => execute.call(tool, input, { ...given, abortSignal: signal }),
  });
  const asked: Execute = isGenerator(execute)
    ? (input, given) => iterate(() => prepare(input, given))
    : async (input, given) => finish(prepare(input, given));
  return Object.assign(Object.create(Object.getPrototypeOf(tool) as object | null) as object, tool, { execute: asked });
}

function effectFor(call: ToolCall, { deadlineMs, effectOf }: GateToolsOptions): Effect {
  const { toolName, toolCallId: idempotencyKey } = call;
  return { capability: `tool/${toolName}`, access: 'write', idempotencyKey, deadlineMs, ...effectOf?.(call) };
}

/** The SDK tells by what `execute` returns whether it is to be iterated, before anything was asked: so it has to be known beforehand. */
function isGenerator(execute: Execute): boolean {
  return Object.prototype.toString.call(execute) === '[object AsyncGeneratorFunction]';
}

function finish({ sender, effect, caller, start }: Prepared): Promise<unknown> {
  return runJoined(sender, effect, {
    caller,
    call: async ({ signal }) => {
      const result = await start(signal);
      return isIterable(result) ? lastOf(result, signal) : result;
    },
  });
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

async function lastOf(values: AsyncIterable<unknown>, signal: AbortSignal): Promise<unknown> {
  let last: unknown;
  for await (const value of values) {
    signal.throwIfAborted();
    last = value;
  }
  return last;
}

/** The gate is asked with the first value that is wanted; the call is in flight until the last, or until it is left. */
async function* iterate(prepare: () => Prepared): AsyncGenerator<unknown, void> {
  const { values, signal, end } = await open(prepare());
  let why: unknown = new KilldrillError('TOOL_LEFT', 'its caller did not wait for its end');
  try {
    for (;;) {
      const { done, value } = await nextOf(values, signal);
      if (done === true) break;
      yield value;
    }
    why = null;
  } catch (error) {
    why = error;
    throw error;
  } finally {
    end(why);
  }
}

interface OpenCall {
  readonly values: AsyncIterator<unknown>;
  readonly signal: AbortSignal;
  /** Ends the call: null for an end that was reached. */
  readonly end: (why: unknown) => void;
}

function open({ sender, effect, caller, start }: Prepared): Promise<OpenCall> {
  return new Promise((resolve, reject) => {
    const call = ({ signal }: JoinedSending): Promise<void> => {
      const values = (start(signal) as AsyncIterable<unknown>)[Symbol.asyncIterator]();
      return new Promise((landed, broke) => {
        const end = (why: unknown): void => {
          if (why === null) landed();
          // it may be in the middle of something: it has ended when it has left that
          else
            void Promise.resolve(values.return?.()).then(
              () => broke(why),
              () => broke(why),
            );
        };
        resolve({ values, signal, end });
      });
    };
    runJoined(sender, effect, { caller, call }).catch(reject); // once it is open, its signal says it
  });
}

/** The next value, or the signal's reason, whichever comes first. */
function nextOf(values: AsyncIterator<unknown>, signal: AbortSignal): Promise<IteratorResult<unknown, unknown>> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const leave = whenAborted(signal, () => reject(signal.reason as Error));
    values.next().then(resolve, reject).finally(leave);
  });
}
