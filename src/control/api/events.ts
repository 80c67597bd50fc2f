import type { ServerResponse } from 'node:http';
import type { Clock } from '../../clock.ts';
import type { FleetPicture, FleetPictures } from './fleet-picture.ts';
import { RequestError } from './problem.ts';
import { switchesOf } from './switches.ts';
import type { EnforcedEngagement, Switches } from './switches.ts';
import type { ControlApiParts } from './parts.ts';

const MAX_WATCHERS = 200;
/** Changes within this time are told together, milliseconds. */
const TOLD_WITHIN_MS = 20;
/** How often the state is looked at though nothing was said: a lease runs out in silence. */
const LOOK_MS = 500;
/** Something goes over the wire at least so often, so that both sides learn of a dead one. */
const SIGN_OF_LIFE_MS = 15_000;
/** Who reads so slowly that this much waits, besides what is told at the beginning, is cut off and comes back by itself. */
const MAX_BACKLOG_BYTES = 1_000_000;

/**
 * Tells those who watch (server-sent events): `switches` at the beginning, then `stop` and `release` for what came and
 * went, `state` when the head moved or the store was lost or found, and `fleet` once a second. A stop that is told again has its revision now.
 */
export class EventHub {
  readonly #parts: Pick<ControlApiParts, 'registry' | 'lease'>;
  readonly #clock: Clock;
  /** With how much may wait for each: the beginning is as long as there are engagements, and coming back would not make it shorter. */
  readonly #watchers = new Map<ServerResponse, number>();
  #told: Switches | null = null;
  #cancelTell: (() => void) | null = null;
  #cancelLook: (() => void) | null = null;
  #silentMs = 0;
  readonly #pictures: Pick<FleetPictures, 'latest'>;
  #shown: FleetPicture | null = null;

  constructor(parts: Pick<ControlApiParts, 'registry' | 'lease' | 'clock'>, pictures: Pick<FleetPictures, 'latest'>) {
    [this.#parts, this.#pictures] = [parts, pictures];
    this.#clock = parts.clock;
    parts.registry.onChange(() => this.#soon());
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** @throws RequestError `TOO_MANY_WATCHERS` */
  admit(): void {
    if (this.#watchers.size < MAX_WATCHERS) return;
    throw new RequestError('TOO_MANY_WATCHERS', `${MAX_WATCHERS} connections follow events already; try again later`);
  }

  /** Begins to tell; `response` is the watcher's from here on. */
  add(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream; charset=utf-8' });
    if (this.#watchers.size === 0) this.#told = switchesOf(this.#parts);
    else this.#tell();
    const fleet = this.#shown === null ? '' : eventText('fleet', this.#shown);
    const beginning = `retry: 1000\n${eventText('switches', this.#told)}${fleet}`;
    this.#watchers.set(response, beginning.length + MAX_BACKLOG_BYTES);
    response.on('close', () => this.#remove(response));
    response.on('error', () => this.#remove(response));
    response.write(beginning);
    this.#cancelLook ??= this.#lookAgain();
  }

  close(): void {
    for (const response of this.#watchers.keys()) response.end();
    this.#watchers.clear();
    this.#rest();
  }

  #remove(response: ServerResponse): void {
    this.#watchers.delete(response);
    if (this.#watchers.size === 0) this.#rest();
  }

  #rest(): void {
    this.#cancelLook?.();
    this.#cancelTell?.();
    [this.#cancelLook, this.#cancelTell] = [null, null];
  }

  #soon(): void {
    if (this.#watchers.size === 0 || this.#cancelTell !== null) return;
    this.#cancelTell = this.#clock.after(TOLD_WITHIN_MS, () => {
      this.#cancelTell = null;
      this.#tell();
    });
  }

  #lookAgain(): () => void {
    return this.#clock.after(LOOK_MS, () => {
      this.#silentMs += LOOK_MS;
      this.#tell();
      void this.#tellFleet();
      if (this.#silentMs >= SIGN_OF_LIFE_MS) this.#toAll(': still here\n\n');
      this.#cancelLook = this.#lookAgain();
    });
  }

  #tell(): void {
    const [before, now] = [this.#told, switchesOf(this.#parts)];
    this.#told = now;
    if (before === null) return;
    const text = changesBetween(before, now);
    if (text !== '') this.#toAll(text);
  }

  /** Looked at only while somebody watches. */
  async #tellFleet(): Promise<void> {
    const picture = await this.#pictures.latest();
    if (picture === this.#shown) return;
    this.#shown = picture;
    this.#toAll(eventText('fleet', picture));
  }

  #toAll(text: string): void {
    this.#silentMs = 0;
    for (const [response, mostBytes] of this.#watchers) {
      if (response.writableLength > mostBytes) response.destroy();
      else response.write(text);
    }
  }
}

function changesBetween(before: Switches, now: Switches): string {
  const revisions = new Map(before.engagements.map(({ id, revision }) => [id, revision]));
  const still = new Set(now.engagements.map(({ id }) => id));
  const isNew = ({ id, revision }: EnforcedEngagement): boolean => revisions.get(id) !== revision;
  const stops = now.engagements.filter(isNew).map((engagement) => eventText('stop', engagement));
  const gone = before.engagements.filter(({ id }) => !still.has(id)).map(({ id }) => eventText('release', { id }));
  const moved = before.head?.hash !== now.head?.hash || before.verified !== now.verified;
  const { head, verified, engagements } = now;
  const state = moved ? [eventText('state', { head, verified, open: engagements.length })] : [];
  return [...stops, ...gone, ...state].join('');
}

function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
