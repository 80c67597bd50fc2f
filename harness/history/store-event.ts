/** What is read after the drill: from the store, and from the bus's topic of dead letters. */
export type StoreEventBody =
  /** The store's head row and age, at the end. */
  | { readonly type: 'store.head'; readonly epoch: string; readonly revision: number; readonly hash: string }
  /** A life of the store's server, from its first answer: before that nobody could have told it of a stop. */
  | { readonly type: 'store.life' }
  | {
      readonly type: 'store.flip';
      readonly revision: number;
      readonly epoch: string;
      readonly hash: string;
      readonly text: string;
      readonly signature: string | null;
    }
  /** What became of an alert, by the store. */
  | {
      readonly type: 'store.alert';
      readonly topic: string;
      readonly partition: number;
      readonly position: number;
      readonly kind: 'flip' | 'duplicate' | 'stale' | 'poison' | 'expired';
      /** These four are null of poison and of what expired. */
      readonly detector: string | null;
      readonly alertId: string | null;
      readonly content: string | null;
      readonly flipId: string | null;
      readonly code: string | null;
      readonly why: string | null;
    }
  /** The next alert of a partition that the store has no record of. */
  | {
      readonly type: 'store.alertPosition';
      readonly topic: string;
      readonly partition: number;
      readonly position: number;
    }
  /** A message on the topic of dead letters; `content` is the sha256 of the alert's bytes; `code` and `why` are null where the bus keeps them beside the bytes. Read from the bus at the end, in its order. */
  | {
      readonly type: 'bus.deadLetter';
      readonly content: string;
      readonly code: string | null;
      readonly why: string | null;
    }
  | {
      readonly type: 'store.intent';
      readonly incarnation: string;
      readonly intent: number;
      readonly run: string;
      readonly tenant: string | null;
      readonly feature: string | null;
      readonly agent: string;
      readonly lineage: readonly string[];
      readonly capability: string;
      readonly key: string;
      /** The last revision that this intent comes after, by the store's order; 0 when it is before every flip. */
      readonly afterRevision: number;
      readonly outcome: 'landed' | 'failed' | 'unknown' | 'blocked' | null;
    }
  /** A task at the end of the drill. */
  | {
      readonly type: 'store.task';
      readonly task: string;
      readonly kind: string;
      readonly run: string;
      readonly tenant: string | null;
      readonly feature: string | null;
      readonly agent: string;
      readonly lineage: readonly string[];
      readonly capability: string | null;
      readonly critical: boolean;
      readonly state: string;
      readonly attempts: number;
      readonly admittedRevision: number;
    }
  /** One change of a task's state, seen by the harness's own trigger on the table and ordered against flips by the store. */
  | {
      readonly type: 'store.taskChange';
      readonly task: string;
      /** Null when it was let in. */
      readonly from: string | null;
      readonly to: string;
      readonly attempts: number;
      /** It waits for another attempt. */
      readonly retry: boolean;
      /** When it may be claimed, nanoseconds of the store's clock. */
      readonly dueNs: number;
      readonly admittedRevision: number;
      /** The last revision that this change comes after, by the store's order. */
      readonly afterRevision: number;
    }
  /** The ledger as the runtime gives it, after the drill: every landed and unknown effect, and its compensation. */
  | {
      readonly type: 'store.ledger';
      readonly incarnation: string;
      readonly intent: number;
      readonly run: string;
      readonly capability: string;
      readonly access: string;
      readonly key: string;
      readonly outcome: 'landed' | 'unknown';
      readonly afterRevision: number;
      readonly compensation: Readonly<Record<string, unknown>> | null;
    }
  /** A mutant that is planted in the store proves itself active: the first answer that the unmodified function would not have given. */
  | {
      readonly type: 'store.mutant';
      readonly name: string;
      readonly input: unknown;
      readonly unmodified: unknown;
      readonly mutated: unknown;
    };
