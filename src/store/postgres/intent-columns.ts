import type { Intent } from '../store.ts';
import { arrayLiteral } from './array-literal.ts';

/** A batch as `admit_intents` takes it: an array a column, from `p_seqs` on. */
export function intentColumns(intents: readonly Intent[]): readonly unknown[] {
  return [
    intents.map((intent) => intent.seq),
    intents.map((intent) => intent.run),
    intents.map((intent) => intent.tenant),
    intents.map((intent) => intent.feature),
    intents.map((intent) => intent.agent),
    intents.map((intent) => arrayLiteral(intent.lineage)),
    intents.map((intent) => intent.capability),
    intents.map((intent) => intent.access),
    intents.map((intent) => intent.idempotencyKey),
    intents.map((intent) => intent.deadlineMs),
    intents.map((intent) => intent.claim?.task ?? null),
    intents.map((intent) => intent.claim?.token ?? null),
  ];
}
