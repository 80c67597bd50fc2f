import type { Admin } from 'kafkajs';
import { messageOf } from '../errors.ts';
import type { Kept } from './kafka-client.ts';
import type { KafkaSettings } from './kafka-options.ts';

/** Groups whose positions are looked at. Each costs a request; there are more only where many executors died at once. */
const MOST_GROUPS = 50;
/** States of a group that nobody is in. */
const LEFT: ReadonlySet<string> = new Set(['Empty', 'Dead']);

/** The consumer groups of the executors of one store: `group.member.id`, a new one with each session. */
export class KafkaGroups {
  readonly #admin: Kept<Admin>;
  readonly #settings: KafkaSettings;
  #cancel: () => void = () => undefined;
  /** Counts stays; what an earlier one began is not gone on with. */
  #stay = 0;

  constructor(admin: Kept<Admin>, settings: KafkaSettings) {
    this.#admin = admin;
    this.#settings = settings;
  }

  nameOf(id: string): string {
    return `${this.#own()}${id}`;
  }

  /** The furthest position that any executor of this store has committed, by partition. */
  async committed(): Promise<ReadonlyMap<number, number>> {
    const { group, topic } = this.#settings;
    return this.#admin.use(`the positions of ${group}`, async (admin) => {
      const { groups } = await admin.listGroups();
      const ours = groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(`${group}.`));
      const furthest = new Map<number, number>();
      const looks = ours.slice(-MOST_GROUPS).map((groupId) => admin.fetchOffsets({ groupId, topics: [topic] }));
      for (const { partition, offset } of (await Promise.all(looks)).flat().flatMap(({ partitions }) => partitions)) {
        if (Number(offset) >= 0) furthest.set(partition, Math.max(furthest.get(partition) ?? 0, Number(offset)));
      }
      return furthest;
    });
  }

  /**
   * Once the new group has the positions that the old ones had, deletes this executor's old groups: those that are left now,
   * and, when the broker has noticed the death of the last one, that one too. Nobody waits for it.
   */
  inherit(groupId: string, commit: () => Promise<void>): void {
    const { clock, timings } = this.#settings;
    this.leave();
    const stay = this.#stay;
    this.#cancel = clock.after(2 * timings.sessionMs, () => this.#tidy(groupId, stay, Promise.resolve()));
    this.#tidy(groupId, stay, commit());
  }

  /** The session has ended: what is left is the next one's to delete. */
  leave(): void {
    this.#stay += 1;
    this.#cancel();
  }

  #tidy(but: string, stay: number, committed: Promise<void>): void {
    const { onError } = this.#settings;
    committed
      .then(() => (stay === this.#stay ? this.#deleteOld(but) : undefined))
      .catch((error: unknown) => onError(error instanceof Error ? error : new Error(messageOf(error))));
  }

  async #deleteOld(but: string): Promise<void> {
    await this.#admin.use(`deleting old groups of ${this.#own()}`, (admin) =>
      deleteLeftGroups(admin, (id) => id.startsWith(this.#own()) && id !== but),
    );
  }

  #own(): string {
    const { group, member } = this.#settings;
    return `${group}.${member}.`;
  }
}

/** Deletes those groups of a choice that nobody is in, and answers how many of the choice are left. */
export async function deleteLeftGroups(admin: Admin, isChosen: (groupId: string) => boolean): Promise<number> {
  const { groups: all } = await admin.listGroups();
  const chosen = all.map(({ groupId }) => groupId).filter(isChosen);
  if (chosen.length === 0) return 0;
  const { groups } = await admin.describeGroups(chosen);
  const left = groups.filter(({ state }) => LEFT.has(state)).map(({ groupId }) => groupId);
  if (left.length > 0) await admin.deleteGroups(left);
  return chosen.length - left.length;
}
