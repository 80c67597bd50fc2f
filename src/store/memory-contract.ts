import { KilldrillError } from '../errors.ts';
import type { ReleaseFlip } from '../switch.ts';
import { onRecord } from './memory-record.ts';
import type { MemoryState } from './memory-state.ts';
import type { Asker, FlipOptions, RunContract } from './store.ts';

/** A release is red while the run contract is still that of the stop (DESIGN §3.12). None declared at the stop: green. */
export function redReasons(
  state: MemoryState,
  ids: readonly string[],
): readonly { readonly engagement: string; readonly reason: string }[] {
  return ids.flatMap((id) => {
    const engagement = state.flipsById.get(id)?.engagement ?? null;
    if (engagement === null || engagement.closedRevision !== null) return [];
    if (engagement.contract === null || engagement.contract !== state.contract) return [];
    return [{ engagement: id, reason: `the run contract is still that of the stop: ${engagement.contract}` }];
  });
}

export function declareContract(state: MemoryState, contract: RunContract, asker: Asker): void {
  onRecord(state, 'contract', asker, contract, () => {
    state.contract = canonical(contract);
  });
}

/** @throws KilldrillError `RELEASE_NOT_GREEN`; with a reason to release all the same it goes on record instead. */
export function refuseRed(state: MemoryState, release: ReleaseFlip, { evenIfRed }: FlipOptions): void {
  const red = redReasons(state, release.engagements);
  if (red.length === 0) return;
  const asker = { by: release.triggeredBy, reason: evenIfRed ?? release.reason };
  onRecord(state, 'red-release', asker, release.engagements, () => {
    if (evenIfRed !== undefined && evenIfRed.trim() !== '') return;
    const which = red.map(({ engagement, reason }) => `'${engagement}': ${reason}`).join('; ');
    throw new KilldrillError(
      'RELEASE_NOT_GREEN',
      `the release is red (${which}); declare the contract that runs now, or release even if red, with a reason`,
    );
  });
}

/** Equal contracts have equal texts, whatever the order in which their tools were given. */
function canonical({ model, prompt, tools }: RunContract): string {
  const sorted = Object.entries(tools).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify({ model, prompt, tools: sorted });
}
