import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { systemClock } from '../../src/clock.ts';
import { messageOf } from '../../src/errors.ts';
import type { Lever } from '../scenario/scenario.ts';

/** How a lever is pulled: what a command runs in, and how long it may take. */
export interface PullParts {
  readonly environment: Readonly<Record<string, string>>;
  /** Folder that a command starts in. */
  readonly cwd: string;
  readonly withinMs: number;
  /** Called with each process started, for the guardian. */
  readonly onSpawned: (pid: number) => void;
  readonly signal: AbortSignal;
}

/** What a URL is sent beside its words: nothing for a question. */
export type LeverBody = Readonly<Record<string, string>> | null;

export type Pulled =
  /** It said yes: exit code 0, or a 2xx. `text` is the end of what it printed or answered. */
  | { readonly ok: true; readonly text: string }
  /** A sentence that names the lever and what it said. */
  | { readonly ok: false; readonly error: string };

const KEPT = 4_000;
/** A command that hangs is asked to end before it is killed. */
const GRACE_MS = 300;
/** A child of a lever's may keep its pipes open for ever. */
const HEAR_OUT_MS = 250;

/** Pulls one lever, its words put in already. Never rejects, and is over soon after `withinMs`. */
export function pullLever(lever: Lever, body: LeverBody, parts: PullParts): Promise<Pulled> {
  return lever.kind === 'url' ? askUrl(lever.url, body, parts) : runCommand(lever.words, parts);
}

async function askUrl(url: string, body: LeverBody, { withinMs, signal }: PullParts): Promise<Pulled> {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  try {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
    const response = await fetch(url, { ...(body === null ? {} : post), redirect: 'error', signal: bounded });
    const text = await firstOf(response);
    if (response.ok) return { ok: true, text };
    return { ok: false, error: `${url} answered ${response.status}${saying(text)}` };
  } catch (error) {
    const late = error instanceof Error && error.name === 'TimeoutError';
    const cause = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    return { ok: false, error: `${url} ${late ? `did not answer within ${withinMs} ms` : `cannot be had: ${cause}`}` };
  }
}

/** The beginning of an answer; what is longer is not read. */
async function firstOf({ body }: Response): Promise<string> {
  if (body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > KEPT) break;
  }
  return text.slice(0, KEPT).trim();
}

function runCommand(words: readonly string[], { environment, cwd, withinMs, onSpawned, signal }: PullParts) {
  const [program = '', ...args] = words;
  return new Promise<Pulled>((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    if (child.pid !== undefined) onSpawned(child.pid);
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8');
      child[name].on('error', () => undefined);
      child[name].on('data', (chunk: string) => (said[name] = (said[name] + chunk).slice(-KEPT)));
    }
    let why: string | null = null;
    const timers: (() => void)[] = [];
    const end = (reason: string): void => {
      why ??= reason;
      toGroup(child, 'SIGTERM');
      timers.push(systemClock.after(GRACE_MS, () => toGroup(child, 'SIGKILL')));
    };
    const interrupted = (): void => end('was interrupted');
    timers.push(systemClock.after(withinMs, () => end(`did not end within ${withinMs} ms`)));
    signal.addEventListener('abort', interrupted, { once: true });
    if (signal.aborted) interrupted();
    const settle = (how: string | null): void => {
      for (const cancel of timers) cancel();
      signal.removeEventListener('abort', interrupted);
      child.stdout.destroy();
      child.stderr.destroy();
      const failed = why ?? how;
      const text = said.stdout.trim();
      const name = words.join(' ');
      if (failed === null) resolve({ ok: true, text });
      else resolve({ ok: false, error: `'${name}' ${failed}${saying(lastLines(said.stderr.trim() || text))}` });
    };
    child.on('error', (error) => settle(`could not be started: ${error.message}`));
    child.on('exit', (code, by) => {
      toGroup(child, 'SIGKILL'); // its children, if it left any, end with it
      const how = code === 0 ? null : by === null ? `ended with exit code ${code ?? 0}` : `was ended by ${by}`;
      child.on('close', () => settle(how));
      timers.push(systemClock.after(HEAR_OUT_MS, () => settle(how)));
    });
  });
}

function toGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in it.
  }
}

function lastLines(text: string): string {
  return text.split('\n').slice(-5).join('\n');
}

function saying(text: string): string {
  return text === '' ? '' : `: ${text}`;
}
