/**
 * One batch of a node's labelling. Blinds, letters and sequence numbers follow from a secret of the epoch and the position, so a batch that
 * was under way when the process was killed is the same batch again.
 */
import {
  bytesToHex,
  ConcordatError,
  domainDigest,
  fromBase64url,
  isConcordatError,
  utf8ToBytes,
} from '#libs/bytes';
import {
  type BatchResponse,
  type BlindedBatch,
  blindBatch,
  evaluationPublicKey,
  finishBatch,
  type HolderIndex,
  secretStream,
  verifyBatch,
} from '#libs/linkage';
import { type Correspondence, joinElements, splitElements } from '#libs/linkage-party';
import type { LinkageBody } from '#libs/protocol';
import type { ChosenPair } from './holder-pair.js';
import type { LabelledEpoch } from './labelled-epoch.js';

const HOLDER_WITHIN_MS = 60_000;
/** Sequence numbers kept for one batch: its first try, and more when a holder forgot what it answered. */
export const TRIES = 8;

/** A key-holder answered a batch with what is no answer to it. The code is why. */
export class WrongAnswer extends ConcordatError {
  constructor(
    code: string,
    readonly index: HolderIndex,
    readonly sequence: number,
  ) {
    super(code, `holder ${index} answered a batch wrongly: it is asked no more`);
  }
}

/** What is wrong with one holder's answer by itself. */
function faultOf(
  { elements }: BlindedBatch,
  { pair, keys }: ChosenPair,
  asked: HolderIndex,
  { index, evaluated, proof }: BatchResponse,
): string | undefined {
  if (index !== asked) return 'bad-pair';
  try {
    verifyBatch(evaluationPublicKey(keys, pair, index), elements, evaluated, proof);
    return undefined;
  } catch (error) {
    return isConcordatError(error) ? error.code : 'internal-fault';
  }
}

interface Batch {
  /** Null where a person lacks the key. */
  readonly inputs: readonly (Uint8Array | null)[];
  /** Of the first input among all of the epoch. */
  readonly position: number;
  /** 0 to `TRIES` - 1. */
  readonly tried: number;
}

/**
 * Has a batch evaluated by the pair, checks both proofs, and unblinds. Throws `WrongAnswer` with a code of `finishBatch`, the code of a
 * holder's refusal, `no-answer`.
 */
export async function labelBatch(
  { begun }: LabelledEpoch,
  letters: Correspondence,
  chosen: ChosenPair,
  { inputs, position, tried }: Batch,
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  const { pair, keys } = chosen;
  const { project, epoch, holders } = begun.project;
  const seed = fromBase64url(begun.seed);
  const use = [`${position}`, `${tried}`, pair.join()];
  // a filler stands where a person lacks the key: random bytes, which no record of anybody gives
  const fillers = secretStream(seed, 'filler', ...use);
  const filled = inputs.map((input) => {
    if (input) return input;
    const words = new Uint32Array(8);
    fillers.fillWords(words);
    return new Uint8Array(words.buffer);
  });
  const batch = blindBatch(filled, secretStream(seed, 'blinds', ...use));
  const sequence = position * TRIES + tried + 1;
  const body: LinkageBody = {
    kind: 'batch',
    project,
    epoch,
    sequence,
    pair: [pair[0], pair[1]],
    elements: joinElements(batch.elements),
  };
  const answers = await Promise.all(
    pair.map(async (index): Promise<BatchResponse> => {
      const id = bytesToHex(
        domainDigest(
          'concordat/linkage-letter/v1',
          seed,
          ...[...use, `${index}`].map(utf8ToBytes),
        ).subarray(0, 16),
      );
      const said = await letters.ask(holders[index - 1] as string, body, {
        id,
        timeoutMs: HOLDER_WITHIN_MS,
        signal,
      });
      if (said.kind !== 'evaluation') throw new WrongAnswer('malformed-message', index, sequence);
      try {
        const { evaluated, proof } = said;
        return {
          index: said.index,
          evaluated: splitElements(evaluated),
          proof: fromBase64url(proof),
        };
      } catch {
        throw new WrongAnswer('malformed-element', index, sequence);
      }
    }),
  );
  try {
    return finishBatch(batch, pair, answers as [BatchResponse, BatchResponse], keys);
  } catch (error) {
    for (const [i, index] of pair.entries()) {
      const code = faultOf(batch, chosen, index, answers[i] as BatchResponse);
      if (code !== undefined) throw new WrongAnswer(code, index, sequence);
    }
    throw error;
  }
}
