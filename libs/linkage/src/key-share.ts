/**
 * A holder's share of the linkage key of one project and epoch: how two shares stand in for the key (Shamir 1979), how a
 * share is stored, and how it ends.
 */

import { z } from 'zod';
import {
  ConcordatError,
  canonicalBytes,
  equalBytes,
  fromBase64url,
  parseCanonicalJson,
  toBase64url,
} from '#libs/bytes';
import {
  addElements,
  checkElement,
  invertScalar,
  multiplyBase,
  multiplyElement,
  multiplyScalars,
  smallScalar,
  subtractScalars,
} from './ristretto.js';

/** What a key is made for; part of every hash, so that nothing fits another project, epoch or set of holders. */
export interface KeyContext {
  readonly project: string;
  readonly epoch: string;
  /** Names of holders 1, 2, 3. */
  readonly holders: readonly [string, string, string];
}

export type HolderIndex = 1 | 2 | 3;
/** One holder's share. `secret` is the only secret part; the rest is published. */
export interface KeyShare {
  readonly context: KeyContext;
  readonly index: HolderIndex;
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
  /** share_j G of holders 1, 2, 3. */
  readonly sharePublicKeys: readonly [Uint8Array, Uint8Array, Uint8Array];
}

/** What clients know of the key. */
export type PublicKeySet = Omit<KeyShare, 'index' | 'secret'>;

/** The two holders that answer a batch, in ascending order. */
export type HolderPair = readonly [1, 2] | readonly [1, 3] | readonly [2, 3];

/** Whether a pair is in order and `index` is one of it. */
export const isOfPair = ([first, second]: HolderPair, index: HolderIndex): boolean =>
  (first === 1 || first === 2) &&
  (second === 2 || second === 3) &&
  first !== second &&
  (first === index || second === index);

/** lambda_i at 0 for the points {i, j}: j / (j - i) (Shamir 1979). Throws `bad-pair` unless `index` is one of the pair. */
function lagrangeCoefficient(pair: HolderPair, index: HolderIndex): Uint8Array {
  const other = pair[0] === index ? pair[1] : pair[0];
  if (!isOfPair(pair, index)) {
    throw new ConcordatError(
      'bad-pair',
      'a batch is answered by two different holders in ascending order',
    );
  }
  const difference = subtractScalars(smallScalar(other), smallScalar(index));
  return multiplyScalars(smallScalar(other), invertScalar(difference));
}

/** lambda_i * share_i: the scalar this holder evaluates with when it answers together with the other of `pair`. */
export const evaluationKey = (share: KeyShare, pair: HolderPair): Uint8Array =>
  multiplyScalars(lagrangeCoefficient(pair, share.index), share.secret);

/** The public key that belongs to `evaluationKey`: what the client checks that holder's proof against. */
export const evaluationPublicKey = (
  keys: PublicKeySet,
  pair: HolderPair,
  index: HolderIndex,
): Uint8Array =>
  multiplyElement(lagrangeCoefficient(pair, index), keys.sharePublicKeys[index - 1] as Uint8Array);

/** What may be published of a share. */
export const publicKeysOf = ({ context, publicKey, sharePublicKeys }: KeyShare): PublicKeySet => ({
  context,
  publicKey,
  sharePublicKeys,
});

const FORMAT = 'concordat/linkage-share/v1';
const Encoded = z.string().length(43);
const ShareDocument = z.strictObject({
  format: z.literal(FORMAT),
  project: z.string().min(1).max(200),
  epoch: z.string().min(1).max(200),
  holders: z.tuple([z.string().min(1), z.string().min(1), z.string().min(1)]),
  index: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  secret: Encoded,
  publicKey: Encoded,
  sharePublicKeys: z.tuple([Encoded, Encoded, Encoded]),
});

/**
 * The storage form of a share: canonical JSON, binary fields base64url. The secret is in the clear: the caller seals the
 * bytes with its key store before they touch a disk.
 */
export function encodeShare(share: KeyShare): Uint8Array {
  const { project, epoch, holders } = share.context;
  return canonicalBytes({
    format: FORMAT,
    project,
    epoch,
    holders,
    index: share.index,
    secret: toBase64url(share.secret),
    publicKey: toBase64url(share.publicKey),
    sharePublicKeys: share.sharePublicKeys.map(toBase64url),
  });
}

/**
 * Reads `encodeShare`'s bytes and checks that they belong together: the secret to its public key, the public keys to one
 * line. Throws `malformed-share`.
 */
export function decodeShare(bytes: Uint8Array): KeyShare {
  const refuse = (): never => {
    throw new ConcordatError(
      'malformed-share',
      'not a share of a linkage key: restore it from its key store',
    );
  };
  try {
    const document = ShareDocument.parse(parseCanonicalJson(bytes));
    const [first, second, third] = document.sharePublicKeys.map(fromBase64url);
    const share: KeyShare = {
      context: { project: document.project, epoch: document.epoch, holders: document.holders },
      index: document.index,
      secret: fromBase64url(document.secret),
      publicKey: fromBase64url(document.publicKey),
      sharePublicKeys: [first as Uint8Array, second as Uint8Array, third as Uint8Array],
    };
    const own = share.sharePublicKeys[share.index - 1] as Uint8Array;
    if (!equalBytes(multiplyBase(share.secret), own)) return refuse();
    for (const pair of [
      [1, 2],
      [1, 3],
      [2, 3],
    ] as const) {
      const [a, b] = pair.map((index) => evaluationPublicKey(share, pair, index));
      if (!equalBytes(addElements(a as Uint8Array, b as Uint8Array), share.publicKey))
        return refuse();
    }
    checkElement(share.publicKey);
    return share;
  } catch {
    return refuse();
  }
}

/** The log entry of an ended epoch. `endedAt` is the caller's clock, RFC 3339. */
export interface ShareDestroyedEntry {
  readonly kind: 'linkage-share-destroyed';
  readonly project: string;
  readonly epoch: string;
  readonly holder: string;
  readonly publicKey: string;
  readonly endedAt: string;
}

/**
 * Ends a share: overwrites the secret in memory and gives the entry to log. Two destroyed shares make the labels of the
 * epoch impossible to compute again. Copies on disk are the caller's to erase.
 */
export function destroyShare(share: KeyShare, endedAt: string): ShareDestroyedEntry {
  share.secret.fill(0);
  return {
    kind: 'linkage-share-destroyed',
    project: share.context.project,
    epoch: share.context.epoch,
    holder: share.context.holders[share.index - 1] as string,
    publicKey: toBase64url(share.publicKey),
    endedAt,
  };
}

/** Whether `destroyShare` was called on it. */
export const isDestroyed = (share: KeyShare): boolean => share.secret.every((byte) => byte === 0);
