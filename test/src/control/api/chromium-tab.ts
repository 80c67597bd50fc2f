import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { vi } from 'vitest';

/** Where Chromium is on this machine; null for nowhere. */
export function browserPath(): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path)) ?? null;
}

/** One tab of a headless Chromium. */
export interface Tab {
  go(url: string): Promise<void>;
  /** The value of an expression in the page, as JSON has it. */
  evaluate(expression: string): Promise<unknown>;
  /** Waits until an expression in the page is true; half a page has not got what is asked for, and is asked again. */
  until(expression: string): Promise<unknown>;
  /** What it shows, all of it, as a PNG. */
  screenshot(): Promise<Buffer>;
  /** What the page is shown as. */
  show(as: {
    readonly media: 'screen' | 'print';
    readonly scheme: 'light' | 'dark';
    readonly width: number;
  }): Promise<void>;
  press(key: string): Promise<void>;
  /** From the next page on. */
  withoutScripts(): Promise<void>;
  close(): Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

const ANSWER_MS = 30_000;

/** Whether there was anybody in the group of that process. */
function signalGroup(leader: number | undefined, signal: NodeJS.Signals | 0): boolean {
  if (leader === undefined) return false;
  try {
    return process.kill(-leader, signal);
  } catch {
    return false;
  }
}

/** Speaks the browser's own debugging protocol over a pipe, so that nothing is needed besides the browser. */
export async function openTab(
  browser: string,
  profile: string,
  { width, height }: { readonly width: number; readonly height: number },
): Promise<Tab> {
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--remote-debugging-pipe'];
  const child = spawn(browser, [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const [to, from] = [child.stdio[3] as Writable, child.stdio[4] as Readable];
  to.on('error', () => undefined);
  const waiting = new Map<number, (message: Message) => void>();
  let rest = '';
  from.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = `${rest}${chunk}`.split('\0');
    rest = messages.pop() ?? '';
    for (const text of messages) {
      const message = JSON.parse(text) as Message;
      if (message.id !== undefined) waiting.get(message.id)?.(message);
    }
  });
  let last = 0;
  const ask = (method: string, params: unknown, sessionId?: string): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      last += 1;
      const id = last;
      const timer = setTimeout(() => reject(new Error(`Chromium did not answer ${method}`)), ANSWER_MS);
      waiting.set(id, ({ result, error }) => {
        clearTimeout(timer);
        waiting.delete(id);
        if (error === undefined) resolve(result ?? {});
        else reject(new Error(`${method}: ${error.message}`));
      });
      to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  const { targetId } = await ask('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await ask('Target.attachToTarget', { targetId, flatten: true });
  const inTab = (method: string, params: unknown) => ask(method, params, String(sessionId));
  await inTab('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 2, mobile: true });
  const evaluate = async (expression: string): Promise<unknown> => {
    const found = await inTab('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    const { result, exceptionDetails } = found as {
      readonly result: { readonly value?: unknown };
      readonly exceptionDetails?: { readonly text: string };
    };
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  };
  return {
    go: async (url) => void (await inTab('Page.navigate', { url })),
    evaluate,
    until: (expression) =>
      vi.waitUntil(() => evaluate(expression).catch(() => false), { timeout: ANSWER_MS, interval: 50 }),
    screenshot: async () => {
      const shot = await inTab('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
      return Buffer.from(String(shot['data']), 'base64');
    },
    show: async ({ media, scheme, width: wide }) => {
      const features = [{ name: 'prefers-color-scheme', value: scheme }];
      await inTab('Emulation.setDeviceMetricsOverride', { width: wide, height, deviceScaleFactor: 1, mobile: false });
      await inTab('Emulation.setEmulatedMedia', { media, features });
    },
    press: async (key) => {
      await inTab('Input.dispatchKeyEvent', { type: 'keyDown', key, code: key, text: key === 'Enter' ? '\r' : '' });
      await inTab('Input.dispatchKeyEvent', { type: 'keyUp', key, code: key });
    },
    withoutScripts: async () => void (await inTab('Emulation.setScriptExecutionDisabled', { value: true })),
    close: async () => {
      const ended = once(child, 'exit');
      signalGroup(child.pid, 'SIGKILL');
      await ended;
      // Its helpers outlive it for a moment, and write to the profile until they are gone.
      await vi.waitUntil(() => !signalGroup(child.pid, 0), { timeout: ANSWER_MS, interval: 20 });
    },
  };
}
