/**
 * Distributed making of a 2-of-3 key: no party ever holds the whole scalar. Pedersen's DKG (Pedersen 1991) with the
 * proof of knowledge of FROST (Komlo, Goldberg 2020, figure 1) against rogue keys, and commitments opened only after all
 * three are known, so that the last holder to speak cannot choose the key (Gennaro et al. 1999 describe that bias).
 *
 * Round 1: everyone publishes `commitment`. Round 2: everyone publishes `opening` and sends `subshares[j]` to holder j
 * alone, over an authenticated secret channel. Then everyone calls `finishKey`.
 */
import { ConcordatError, domainDigest, equalBytes, utf8ToBytes } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import type { HolderIndex, KeyContext, KeyShare } from './key-share.js';
import {
  addElements,
  addScalars,
  checkElement,
  checkScalar,
  multiplyBase,
  multiplyElement,
  multiplyScalars,
  randomScalars,
  reduceScalar,
  sha512,
  smallScalar,
} from './ristretto.js';

const HOLDER_INDEXES: readonly HolderIndex[] = [1, 2, 3];

/** Round 2 broadcast of one holder: commitments a_0 G, a_1 G to its line f(x) = a_0 + a_1 x and a Schnorr proof of a_0. */
export interface KeyOpening {
  readonly constant: Uint8Array;
  readonly slope: Uint8Array;
  readonly proofNonce: Uint8Array;
  readonly proofResponse: Uint8Array;
}

/** What one holder keeps between the rounds (secret) and what it sends. */
export interface KeyDealing {
  readonly index: HolderIndex;
  readonly commitment: Uint8Array;
  readonly opening: KeyOpening;
  /** f(1), f(2), f(3): `subshares[j - 1]` is for holder j only. */
  readonly subshares: readonly [Uint8Array, Uint8Array, Uint8Array];
}

const contextBytes = ({ project, epoch, holders }: KeyContext): Uint8Array[] => {
  if (new Set(holders).size !== 3 || [project, epoch, ...holders].some((name) => name === '')) {
    throw new ConcordatError(
      'bad-key-context',
      'name the project, the epoch and three different holders',
    );
  }
  return [project, epoch, ...holders].map(utf8ToBytes);
};

const proofChallenge = (context: KeyContext, index: number, opening: KeyOpening): Uint8Array =>
  reduceScalar(
    sha512(
      domainDigest(
        'concordat/linkage/dkg-proof/v1',
        ...contextBytes(context),
        Uint8Array.of(index),
        opening.constant,
        opening.slope,
        opening.proofNonce,
      ),
    ),
  );

const commitmentTo = (context: KeyContext, index: number, opening: KeyOpening): Uint8Array =>
  domainDigest(
    'concordat/linkage/dkg-commitment/v1',
    ...contextBytes(context),
    Uint8Array.of(index),
    opening.constant,
    opening.slope,
    opening.proofNonce,
    opening.proofResponse,
  );

/** One holder's line and what follows from it. */
export function dealKey(context: KeyContext, index: HolderIndex, random: RandomSource): KeyDealing {
  const [a0, a1, nonce] = randomScalars(3, random) as [Uint8Array, Uint8Array, Uint8Array];
  const unsigned = {
    constant: multiplyBase(a0),
    slope: multiplyBase(a1),
    proofNonce: multiplyBase(nonce),
    proofResponse: nonce,
  };
  const challenge = proofChallenge(context, index, unsigned);
  const opening = { ...unsigned, proofResponse: addScalars(nonce, multiplyScalars(challenge, a0)) };
  const at = (x: number): Uint8Array => addScalars(a0, multiplyScalars(a1, smallScalar(x)));
  return {
    index,
    commitment: commitmentTo(context, index, opening),
    opening,
    subshares: [at(1), at(2), at(3)],
  };
}

/** f(x) G from the commitments to f. */
const lineAt = (opening: KeyOpening, x: number): Uint8Array =>
  addElements(opening.constant, multiplyElement(smallScalar(x), opening.slope));

function checkOpening(
  context: KeyContext,
  from: HolderIndex,
  commitment: Uint8Array,
  opening: KeyOpening,
): void {
  const refuse = (): never => {
    throw new ConcordatError(
      'bad-dealing',
      `holder ${from} broke the key making: start again without it`,
    );
  };
  if (!equalBytes(commitmentTo(context, from, opening), commitment)) refuse();
  try {
    checkElement(opening.constant);
    checkElement(opening.slope);
    checkElement(opening.proofNonce);
    checkScalar(opening.proofResponse);
  } catch {
    refuse();
  }
  const challenge = proofChallenge(context, from, opening);
  const right = addElements(opening.proofNonce, multiplyElement(challenge, opening.constant));
  if (!equalBytes(multiplyBase(opening.proofResponse), right)) refuse();
}

const isOnLine = (subshare: Uint8Array, expected: Uint8Array): boolean => {
  try {
    return equalBytes(multiplyBase(subshare), expected);
  } catch {
    // zero, not reduced, or of another length
    return false;
  }
};

/**
 * Holder `index`'s share of the finished key. `commitments`, `openings` and `subshares` are in holder order, `subshares[i]`
 * being what holder i + 1 sent to `index`. Throws `bad-dealing`, naming the holder whose part is wrong.
 */
export function finishKey(
  context: KeyContext,
  index: HolderIndex,
  commitments: readonly [Uint8Array, Uint8Array, Uint8Array],
  openings: readonly [KeyOpening, KeyOpening, KeyOpening],
  subshares: readonly [Uint8Array, Uint8Array, Uint8Array],
): KeyShare {
  for (const from of HOLDER_INDEXES) {
    const opening = openings[from - 1] as KeyOpening;
    const subshare = subshares[from - 1] as Uint8Array;
    checkOpening(context, from, commitments[from - 1] as Uint8Array, opening);
    if (!isOnLine(subshare, lineAt(opening, index))) {
      throw new ConcordatError(
        'bad-dealing',
        `holder ${from} sent a share that is not on its line`,
      );
    }
  }
  const sumAt = (x: number): Uint8Array => openings.map((o) => lineAt(o, x)).reduce(addElements);
  return {
    context,
    index,
    secret: subshares.reduce(addScalars),
    publicKey: openings.map((opening) => opening.constant).reduce(addElements),
    sharePublicKeys: [sumAt(1), sumAt(2), sumAt(3)],
  };
}
