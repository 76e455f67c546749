import { ConcordatError } from '#libs/bytes';
import { formatRational, type Resolution, rationalToNumberUp } from '#libs/dp';
import { verifySignature } from '#libs/keystore';
import {
  type Contribution,
  layoutDigest,
  type Receipt,
  signingKeysSince,
  verifyReceipt,
} from '#libs/protocol';
import { answerNoise, groupsOf } from '#libs/query';
import { BYTES_PER_VALUE } from '#libs/sealing';
import type { Federation } from '../federation/federation.js';
import { checkLinkedReceipt } from '../linkage/counter.js';
import type { Round } from './round.js';
import type { VectorShape } from './vector-store.js';

/** More records than any agency has of one category in one period, and so little that the sum over 400 agencies fits an int32. */
const MAX_COUNT = 5_000_000;
/** Noise beyond this many standard deviations is none: a discrete Gaussian exceeds it with a chance below e^-2000. */
const NOISE_DEVIATIONS = 64;

const refuse = (code: string, why: string): never => {
  throw new ConcordatError(code, why);
};

const key = (group: { category: string; period: string }): string =>
  `${group.category} ${group.period}`;

/** Sealed exactly where the round is, for the groups that the auditor has the seed for. Returns the bytes of one value of the vector. */
function checkSealing(
  { sealed }: Receipt,
  { groups }: Contribution,
  round: Round,
  bound: Federation,
  newest: Federation,
): number {
  if (!round.state.sealed) {
    if (sealed) refuse('wrong-sealing', 'the answer is masked, and the round is not sealed');
    return Int32Array.BYTES_PER_ELEMENT;
  }
  if (!sealed) return refuse('wrong-sealing', 'the answer is open, and the round is sealed');
  const { auditor, serial } = bound.manifest;
  if (sealed.seed.payload.manifest !== bound.hash)
    refuse('wrong-manifest', 'the auditor has a seed for a round under another manifest');
  if (!signingKeysSince(newest.manifest, auditor.id, serial).includes(sealed.seed.publicKey))
    refuse('wrong-signer', 'the auditor did not sign with that key since the round was opened');
  if (sealed.seed.payload.layout !== layoutDigest(groups, round.query.resolution))
    refuse('wrong-groups', 'the auditor has a seed for other groups');
  return BYTES_PER_VALUE;
}

/**
 * Everything that can be checked about an answer without its vector: asked groups only and in canonical order, the receipt's
 * proof, and that bounds, spend and noise are those of the question. Returns the opened receipt and what its vector must be,
 * undefined where its length is nobody's to know (a linked count).
 * A contribution is refused whole.
 */
export function checkContribution(
  contribution: Contribution,
  round: Round,
  federation: Federation,
): { readonly receipt: Receipt; readonly vector: VectorShape | undefined } {
  const bound = federation.at(round.assertion.payload.manifest);
  const signedUnder = federation.at(contribution.receipt.payload.manifest);
  // An agency may have followed the manifests meanwhile, and signs with the key it has now.
  if (!bound || !signedUnder || signedUnder.manifest.serial < bound.manifest.serial)
    return refuse('wrong-manifest', 'the receipt names another manifest');
  const receipt = verifyReceipt(contribution.receipt, signedUnder.manifest, verifySignature);
  if (receipt.agency !== contribution.agency)
    refuse('wrong-agency', "the receipt is another agency's");
  if (receipt.round !== round.state.id) refuse('wrong-round', 'the receipt is of another round');
  if (receipt.fingerprint !== round.state.fingerprint)
    refuse('wrong-fingerprint', 'the answer is to another question');
  const agency = bound.agency(contribution.agency);
  if (!agency) return refuse('unknown-agency', 'the answer is of no agency of this federation');

  const asked = groupsOf(round.query).map(key);
  const positions = contribution.groups.map((group) => asked.indexOf(key(group)));
  const ascending = positions.every(
    (at, i) => at >= 0 && (i === 0 || at > (positions[i - 1] ?? -1)),
  );
  if (!ascending)
    refuse('wrong-groups', 'the answer has groups that were not asked, or in another order');
  if (contribution.groups.some(({ category }) => !agency.categories.includes(category))) {
    refuse('wrong-groups', 'the answer has a category that the agency does not record');
  }

  if (receipt.rho !== round.query.rho) refuse('wrong-rho', 'the spend is not the one asked for');
  if (round.query.linkage) {
    checkLinkedReceipt(receipt, round.query);
    return { receipt, vector: undefined };
  }
  if (receipt.mechanism !== 'discrete-gaussian') {
    refuse('wrong-variances', 'a tree of counts has Gaussian noise');
  }
  const resolution = round.query.resolution as Resolution;
  // Throws where the unit and its bounds cannot be those of an answer with these groups to this measure.
  const noise = answerNoise(round.query, contribution.groups, receipt.privacy);
  const expected = noise.map(({ sigma2 }) => formatRational(sigma2));
  if (expected.join() !== receipt.levelVariances.join()) {
    refuse('wrong-variances', 'the noise is not the one that the spend buys');
  }
  const widest = Math.max(...noise.map(({ sigma2 }) => Math.sqrt(rationalToNumberUp(sigma2))));
  const valueBytes = checkSealing(receipt, contribution, round, bound, signedUnder);
  const { nodeCount } = bound.treeOf(agency, resolution);
  return {
    receipt,
    vector: {
      bytes: contribution.groups.length * nodeCount * valueBytes,
      // what is masked has no bound; the sum has
      bound: receipt.sealed ? undefined : MAX_COUNT + Math.ceil(NOISE_DEVIATIONS * widest),
    },
  };
}
