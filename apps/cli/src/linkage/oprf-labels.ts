import { bytesToHex, ConcordatError } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import {
  blindBatch,
  dealKey,
  evaluateElements,
  finishBatch,
  finishKey,
  type HolderPair,
  type KeyDealing,
  KeyHolder,
  type KeyShare,
  publicKeysOf,
  unblindBatch,
} from '#libs/linkage';

const PAIR: HolderPair = [1, 2];
/** Moves the progress bar about once a second; proofs of larger batches are hardly cheaper. */
const BATCH = 1024;
/** Hex digits of a label: the 64 bits that a counter joins on. */
const LABEL_DIGITS = 16;

export type Proofs = 'all' | 'sample';

/** Three key-holders of one process, with a key made for this run by the real protocol. */
export interface Pipeline {
  /** Labels of inputs in order; null stays null. `advance` hears how many more are done. */
  labels(
    inputs: readonly (Uint8Array | null)[],
    advance: (count: number) => void,
  ): (string | null)[];
}

/** Key making between three holders in one process. */
export function makeShares(
  context: { readonly project: string; readonly epoch: string },
  random: RandomSource,
): [KeyShare, KeyShare, KeyShare] {
  const key = { ...context, holders: ['left', 'right', 'auditor'] as const };
  const [one, two, three] = [
    dealKey(key, 1, random),
    dealKey(key, 2, random),
    dealKey(key, 3, random),
  ];
  const each = <T>(pick: (dealing: KeyDealing) => T): [T, T, T] => [
    pick(one),
    pick(two),
    pick(three),
  ];
  const finish = (index: 1 | 2 | 3): KeyShare =>
    finishKey(
      key,
      index,
      each(({ commitment }) => commitment),
      each(({ opening }) => opening),
      each(({ subshares }) => subshares[index - 1] as Uint8Array),
    );
  return [finish(1), finish(2), finish(3)];
}

/**
 * The OPRF of a deployment with all parties in one process: blind, two holders evaluate, combine, unblind. With proofs
 * `all` every batch passes quota, log and proof as between processes; with `sample` the first of each call does, since
 * holders in one's own process have nobody to cheat.
 */
export function oprfPipeline(
  shares: readonly [KeyShare, KeyShare, KeyShare],
  total: number,
  proofs: Proofs,
  random: RandomSource,
): Pipeline {
  const [first, second] = shares;
  const { project, epoch } = first.context;
  const grant = { node: 'evaluation', people: Math.max(1, total), keys: 1 };
  const holders = [new KeyHolder(first, [grant]), new KeyHolder(second, [grant])] as const;
  const keys = publicKeysOf(first);
  let sequence = 0;

  const proven = (inputs: Uint8Array[]): Uint8Array[] => {
    const batch = blindBatch(inputs, random);
    sequence++;
    const ask = (holder: KeyHolder) => {
      const request = {
        project,
        epoch,
        node: grant.node,
        sequence,
        pair: PAIR,
        elements: batch.elements,
      };
      const decision = holder.evaluate(request, random);
      if (!decision.ok) throw new ConcordatError(decision.code, 'a key-holder refused a batch');
      return decision.response;
    };
    return finishBatch(batch, PAIR, [ask(holders[0]), ask(holders[1])], keys);
  };
  const unproven = (inputs: Uint8Array[]): Uint8Array[] => {
    const batch = blindBatch(inputs, random);
    return unblindBatch(
      batch,
      evaluateElements(first, PAIR, batch.elements),
      evaluateElements(second, PAIR, batch.elements),
    );
  };

  return {
    labels(inputs, advance) {
      const labels: (string | null)[] = new Array(inputs.length).fill(null);
      const rows = inputs.flatMap((input, row) => (input === null ? [] : [row]));
      for (let from = 0; from < rows.length; from += BATCH) {
        const some = rows.slice(from, from + BATCH);
        const batch = some.map((row) => inputs[row] as Uint8Array);
        const outputs = proofs === 'all' || from === 0 ? proven(batch) : unproven(batch);
        outputs.forEach((output, i) => {
          labels[some[i] as number] = bytesToHex(output).slice(0, LABEL_DIGITS);
        });
        advance(some.length);
      }
      return labels;
    },
  };
}

/** The inputs themselves: equal where labels would be equal. */
export const plainPipeline: Pipeline = {
  labels: (inputs) =>
    inputs.map((input) => (input === null ? null : Buffer.from(input).toString('latin1'))),
};
