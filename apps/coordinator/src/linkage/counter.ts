/**
 * The counter: opens the label sets of two agencies, joins them key type by key type, adds noise of its own and estimates. It holds no key
 * of the labels and no seed, so it cannot tell whom a label stands for. Its noise follows from a secret and the two answers: the same
 * answers are never counted with two noises.
 */
import { ConcordatError, fromBase64url, isConcordatError, parseCanonicalJson } from '#libs/bytes';
import { formatRational, multiplyRational, parseRho, rational } from '#libs/dp';
import type { BoxKey } from '#libs/keystore';
import {
  COUNT_KEYS,
  COUNTED_NUMBERS,
  type CountKey,
  type CountSet,
  countLinked,
  estimateOverlap,
  JOINED_SETS,
  type OverlapCounts,
  type OverlapEstimate,
  planRhoNoise,
  type Side,
  secretStream,
} from '#libs/linkage';
import { LinkedAnswer, type LinkedRelease, LinkedSet, type Receipt } from '#libs/protocol';
import type { LinkedPeople, Query } from '#libs/query';
import type { Federation } from '../federation/federation.js';
import type { Party } from '../rounds/round.js';
import type { VectorStore } from '../rounds/vector-store.js';

type Answered = Extract<Party, { status: 'answered' }>;

const refuse = (code: string, why: string): never => {
  throw new ConcordatError(code, why);
};

const noiseOf = (query: Query) => planRhoNoise(parseRho(query.rho), COUNTED_NUMBERS);

/** Checks what a receipt says of its noise: `wrong-variances` unless it is what the question's rho buys. */
export function checkLinkedReceipt(receipt: Receipt, query: Query): void {
  const { scale } = noiseOf(query);
  const variance = formatRational(multiplyRational(rational(2n), multiplyRational(scale, scale)));
  const { unit, maxPerRelease, maxPerYear } = receipt.privacy;
  if (
    receipt.mechanism !== 'discrete-laplace' ||
    receipt.levelVariances.join() !== variance ||
    unit !== 'person-year' ||
    maxPerRelease !== 1 ||
    maxPerYear !== 1
  ) {
    refuse('wrong-variances', 'the noise is not the one that the spend buys');
  }
}

function labelsOf(text: string): BigUint64Array {
  const bytes = fromBase64url(text);
  if (bytes.length % 8 !== 0) refuse('wrong-sets', 'labels are 64-bit numbers');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return BigUint64Array.from({ length: bytes.length / 8 }, (_, i) => view.getBigUint64(8 * i));
}

/** Opens a box that one of these keys of its sender was used for: a logged answer is older than a rotation. Throws `bad-box`. */
function openWithAny(bytes: Uint8Array, senders: readonly string[], box: BoxKey): Uint8Array {
  for (const sender of senders) {
    try {
      return box.open(bytes, sender);
    } catch (error) {
      if (!isConcordatError(error, 'bad-box')) throw error;
    }
  }
  return refuse('bad-box', 'a label set is in a box that its agency did not make');
}

interface Opened {
  readonly sets: CountSet[];
  /** Names the secret that its dummies came from. */
  readonly pair: string;
}

/** Opens the boxes of one agency. Throws `bad-box`, `wrong-sets`. */
function openSets(
  bytes: Uint8Array,
  agency: { readonly id: string; readonly boxKeys: readonly string[] },
  fingerprint: string,
  box: BoxKey,
): Opened {
  const answer = LinkedAnswer.safeParse(parseCanonicalJson(bytes));
  if (!answer.success) return refuse('wrong-sets', 'not the label sets of a linked count');
  const pairs = new Set<string>();
  const sets = answer.data.boxes.map((text): CountSet => {
    const opened = openWithAny(fromBase64url(text), agency.boxKeys, box);
    const set = LinkedSet.safeParse(parseCanonicalJson(opened));
    if (!set.success || set.data.agency !== agency.id || set.data.fingerprint !== fingerprint) {
      return refuse('wrong-sets', 'a label set is of another agency or question');
    }
    const { key, kind, relatives, labels } = set.data;
    pairs.add(set.data.pair);
    return { key: key as CountKey, kind, relatives, labels: labelsOf(labels) };
  });
  const [pair = ''] = pairs;
  if (sets.length !== JOINED_SETS.length || pairs.size !== 1)
    refuse('wrong-sets', 'a label set is missing, or they do not belong together');
  return { sets, pair };
}

/** The estimate, or nothing where too few agree. */
function estimated(counts: OverlapCounts): OverlapEstimate | undefined {
  try {
    return estimateOverlap(counts);
  } catch (error) {
    if (error instanceof ConcordatError && error.code === 'overlap-too-small') return undefined;
    throw error;
  }
}

export interface CounterSources {
  readonly query: Query;
  readonly linkage: LinkedPeople;
  readonly fingerprint: string;
  readonly answered: readonly Answered[];
  readonly federation: Federation;
  readonly vectors: VectorStore;
  readonly box: BoxKey;
}

/** Counts one round. The same answers give the same release. Throws `other-side-missing`, `other-pair`, `bad-box`, `wrong-sets`. */
export async function countRound(sources: CounterSources): Promise<LinkedRelease> {
  const { query, linkage, fingerprint, answered, federation, vectors, box } = sources;
  const sideOf = async (side: Side) => {
    const party = answered.find(({ agency }) => agency === linkage[side].agency);
    const agency = party && federation.agency(party.agency);
    if (!party || !agency) {
      return refuse('other-side-missing', 'a linked count needs the answers of both agencies');
    }
    const { groups, receipt } = party.contribution;
    const digest = receipt.payload.valueDigest;
    const bytes = await vectors.whole(digest);
    const known = { id: agency.id, boxKeys: federation.boxKeysOf(agency.id) };
    return {
      digest,
      ...openSets(bytes, known, fingerprint, box),
      categories: [...new Set(groups.map(({ category }) => category))],
    };
  };
  const [left, right] = [await sideOf('left'), await sideOf('right')];
  if (left.pair !== right.pair) {
    refuse('other-pair', 'a box key was replaced while the epoch was begun: end it, begin another');
  }
  const noise = noiseOf(query);
  const secret = box.secretWith(box.publicKey, 'linked count noise');
  const random = secretStream(secret, fingerprint, left.digest, right.digest);
  const counts = countLinked(left.sets, right.sets, noise, random);
  const estimate = estimated(counts);
  return {
    naive: counts.counts.FSDL?.shared ?? 0,
    corrected: estimate ? Math.round(estimate.corrected) : null,
    low: estimate ? Math.floor(estimate.low) : null,
    high: estimate ? Math.ceil(estimate.high) : null,
    method: estimate?.method ?? null,
    noiseScale: formatRational(noise.scale),
    counts: COUNT_KEYS.map((key) => {
      const counted = counts.counts[key];
      return {
        key,
        shared: counted?.shared ?? 0,
        decoys: counted?.decoys ?? null,
        relativesLeft: counted?.relatives?.left ?? null,
        relativesRight: counted?.relatives?.right ?? null,
      };
    }),
    categories: { left: left.categories, right: right.categories },
  };
}
