/** Which two of the three key-holders a node works with: the first that name the same key, each told how many people are coming. */
import { setTimeout as pause } from 'node:timers/promises';
import { ConcordatError, fromBase64url, isConcordatError } from '#libs/bytes';
import { type HolderIndex, type HolderPair, outputsOf, type PublicKeySet } from '#libs/linkage';
import type { Correspondence } from '#libs/linkage-party';
import type { LinkageBody } from '#libs/protocol';
import type { LabelledEpoch } from './labelled-epoch.js';

const KEYS_WITHIN_MS = 10_000;
const RETRY_MS = 1_000;
const PAIRS: readonly HolderPair[] = [
  [1, 2],
  [1, 3],
  [2, 3],
];

/** Two holders and the public keys that their proofs are checked against. */
export interface ChosenPair {
  readonly pair: HolderPair;
  readonly keys: PublicKeySet;
}

/** Declares to a holder how many people and keys there are: once an epoch, again is harmless. Whether it heard in time. */
async function declare(
  { begun, side }: LabelledEpoch,
  letters: Correspondence,
  holder: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { project, epoch } = begun.project;
  const people = begun.declared;
  const keys = outputsOf(side).length;
  try {
    await letters.ask(
      holder,
      { kind: 'declaration', project, epoch, people, keys },
      { timeoutMs: KEYS_WITHIN_MS, signal },
    );
    return true;
  } catch (error) {
    if (isConcordatError(error, 'no-answer')) return false;
    throw error;
  }
}

const keysOf = (
  { project, epoch, holders }: LabelledEpoch['begun']['project'],
  said: Extract<LinkageBody, { kind: 'keys' }>,
): PublicKeySet => {
  const [one, two, three] = said.sharePublicKeys.map(fromBase64url);
  return {
    context: { project, epoch, holders },
    publicKey: fromBase64url(said.publicKey),
    sharePublicKeys: [one as Uint8Array, two as Uint8Array, three as Uint8Array],
  };
};

/**
 * Waits for two holders that agree on the keys, take the declaration and have answered nothing wrongly; one that goes away meanwhile is asked again. Throws `too-few-holders` when two have, `keys-differ`, `share-destroyed`, `stopped` once `isOver`, and the code of a refused
 * declaration.
 */
export async function choosePair(
  epoch: LabelledEpoch,
  letters: Correspondence,
  isOver: () => boolean,
  signal: AbortSignal,
): Promise<ChosenPair> {
  const { project, epoch: name, holders } = epoch.begun.project;
  if (epoch.distrusted.size > 1) {
    throw new ConcordatError(
      'too-few-holders',
      'two key-holders answered wrongly, as the log says: begin another epoch without them',
    );
  }
  for (;;) {
    if (isOver()) throw new ConcordatError('stopped', 'labelling was stopped');
    const said = await Promise.all(
      holders.map((holder, i) =>
        epoch.distrusted.has((i + 1) as HolderIndex)
          ? undefined
          : letters
              .ask(
                holder,
                { kind: 'ask-keys', project, epoch: name },
                { timeoutMs: KEYS_WITHIN_MS, signal },
              )
              .catch((error: unknown) => {
                if (isConcordatError(error, 'share-destroyed')) throw error;
                return undefined;
              }),
      ),
    );
    const texts = said.map((body) =>
      body?.kind === 'keys' ? `${body.publicKey} ${body.sharePublicKeys.join(' ')}` : undefined,
    );
    const pair = PAIRS.find(([a, b]) => texts[a - 1] && texts[a - 1] === texts[b - 1]);
    const body = pair && said[pair[0] - 1];
    if (pair && body?.kind === 'keys') {
      const heard = await Promise.all(
        pair.map((index) => declare(epoch, letters, holders[index - 1] as string, signal)),
      );
      if (!heard.includes(false)) return { pair, keys: keysOf(epoch.begun.project, body) };
    }
    if (new Set(texts.filter(Boolean)).size > 1) {
      throw new ConcordatError('keys-differ', 'the holders name different keys: begin a new epoch');
    }
    await pause(RETRY_MS);
  }
}
