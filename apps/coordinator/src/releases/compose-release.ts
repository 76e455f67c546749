/**
 * From contributions to a release: sums the noisy vectors of every group over the agencies that answered it, estimates the
 * consistent hierarchy, and writes every column as a blob. Groups answered by the same agencies share one tree, one plan and one set of
 * variances. Works on one group at a time, so memory does not grow with the number of categories and periods.
 */
import { ConcordatError, canonicalBytes } from '#libs/bytes';
import {
  composeCounts,
  composeVariances,
  estimateHierarchy,
  integerMap,
  type NoisyCounts,
  noisyCountsFromWire,
  parseRational,
  planEstimate,
  type Resolution,
} from '#libs/dp';
import { formatDomainFile, type GridTree } from '#libs/grid';
import type { Blobs } from '#libs/journal';
import type { BoxKey } from '#libs/keystore';
import {
  type CoverageEntry,
  type Receipt,
  type ReleaseHeader,
  type RoundState,
  type Signed,
  type SignedUnmasked,
  vectorDigest,
} from '#libs/protocol';
import { describeQuery, groupsOf, type Query, type QueryGroup } from '#libs/query';
import type { Federation } from '../federation/federation.js';
import { countRound } from '../linkage/counter.js';
import { type Party, partiesOf, type Round } from '../rounds/round.js';
import type { VectorStore } from '../rounds/vector-store.js';
import { unmaskedSum } from '../sealing/masked-sum.js';
import { exactEpsilon, reportedLoss } from './reported-loss.js';

/** A round that closed: what its release is composed from and tells of. */
interface ClosedRound {
  readonly id: string;
  readonly fingerprint: string;
  readonly query: Query;
  readonly standings: RoundState['standings'];
  readonly contributions: Round['contributions'];
}

export interface ReleaseSources {
  readonly round: ClosedRound;
  readonly federation: Federation;
  readonly vectors: VectorStore;
  readonly blobs: Blobs;
  /** What the auditor signed about the masks, in a sealed round and only there. */
  readonly unmasked: SignedUnmasked | undefined;
  /** Called after every group, with how much is done, from 0 to 1. */
  readonly onProgress: (fraction: number) => void;
  readonly receiptDigest: (receipt: Signed<Receipt>) => string;
}

type Answered = Extract<Party, { status: 'answered' }>;

/** One agency's part of one coverage class. */
interface Member {
  readonly party: Answered;
  readonly tree: GridTree;
  readonly embedding: Int32Array;
}

interface CoverageClass {
  readonly agencies: readonly string[];
  readonly members: readonly Member[];
  readonly tree: GridTree;
  readonly domainBlob: string;
  readonly varianceBlob: string;
  readonly rawVarianceBlob: string;
  readonly plan: ReturnType<typeof planEstimate>;
}

const sameGroup = (a: QueryGroup, b: QueryGroup): boolean =>
  a.category === b.category && a.period === b.period;

const bytesOf = (values: Int32Array | Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

async function openClass(
  parties: readonly Answered[],
  sources: ReleaseSources,
): Promise<CoverageClass> {
  const { federation, round, blobs } = sources;
  const finest = round.query.resolution as Resolution;
  const agencies = parties.map(({ agency }) => {
    const known = federation.agency(agency);
    if (!known) throw new ConcordatError('unknown-agency', 'a contributor is not in the manifest');
    return known;
  });
  const { domain, tree, members: areas } = federation.coverageOf(agencies, finest);
  const members = areas.map((area, i): Member => ({ party: parties[i] as Answered, ...area }));
  const { variances } = composeVariances(
    tree,
    members.map(({ party, embedding }) => ({
      embedding,
      levelVariances: party.contribution.receipt.payload.levelVariances.map(parseRational),
    })),
  );
  const plan = planEstimate(tree, variances);
  const [domainBlob, varianceBlob, rawVarianceBlob] = await Promise.all([
    blobs.put(Buffer.from(formatDomainFile(domain))),
    blobs.put(bytesOf(plan.variance)),
    blobs.put(bytesOf(variances)),
  ]);
  return {
    agencies: parties.map(({ agency }) => agency),
    ...{ members, tree, domainBlob, varianceBlob, rawVarianceBlob, plan },
  };
}

/** Sum of a group over those who answered it: of open vectors, or of masked ones and their masks. */
async function sumGroup(
  group: QueryGroup,
  { members, tree }: CoverageClass,
  { vectors, unmasked }: ReleaseSources,
): Promise<NoisyCounts> {
  const parts = members.map(({ party, tree: own, embedding }) => {
    const { groups, receipt } = party.contribution;
    const position = groups.findIndex((answered) => sameGroup(answered, group));
    const from = position * own.nodeCount;
    return { digest: vectorDigest(receipt.payload), from, embedding };
  });
  if (unmasked)
    return unmaskedSum(group, parts, tree.nodeCount, { unmasked: unmasked.payload, vectors });
  const contributions = await Promise.all(
    parts.map(async ({ digest, from, embedding }) => {
      const values = await vectors.slice(digest, from, embedding.length);
      return { embedding, noisy: noisyCountsFromWire(values) };
    }),
  );
  return composeCounts(tree, contributions);
}

async function composeGroup(group: QueryGroup, coverage: CoverageClass, sources: ReleaseSources) {
  const { blobs } = sources;
  const raw = await sumGroup(group, coverage, sources);
  const estimate = estimateHierarchy(coverage.plan, raw);
  const integer = integerMap(coverage.tree, estimate);
  const [rawBlob, estimateBlob, integerBlob] = await Promise.all([
    blobs.put(bytesOf(raw)),
    blobs.put(bytesOf(estimate)),
    blobs.put(bytesOf(integer)),
  ]);
  return { ...group, raw: rawBlob, estimate: estimateBlob, integer: integerBlob };
}

/** What a release says of its sealing; the auditor's signed word lies beside it. */
async function sealedPart(unmasked: SignedUnmasked, blobs: Blobs) {
  const contributors = unmasked.payload.contributors.map(({ agency }) => agency);
  return { contributors, unmasked: await blobs.put(canonicalBytes(unmasked)) };
}

/** What each agency did, in the order of the manifest. */
function coverageOf({
  round,
  federation,
  receiptDigest,
}: Omit<ReleaseSources, 'onProgress'>): CoverageEntry[] {
  return partiesOf(round.standings, round.contributions).map((party): CoverageEntry => {
    const name = federation.agency(party.agency)?.name ?? party.agency;
    const nothing = {
      categories: [],
      periods: [],
      rhoSpent: null,
      privacy: null,
      answer: null,
      receipt: null,
    };
    if (party.status === 'answered') {
      const { groups, receipt } = party.contribution;
      return {
        agency: party.agency,
        name,
        status: 'answered',
        code: null,
        categories: [...new Set(groups.map(({ category }) => category))],
        periods: [...new Set(groups.map(({ period }) => period))],
        rhoSpent: receipt.payload.rho,
        privacy: receipt.payload.privacy,
        answer: receipt.payload.valueDigest,
        receipt: receiptDigest(receipt),
      };
    }
    const code = 'code' in party ? party.code : null;
    return {
      agency: party.agency,
      name,
      status: party.status === 'waiting' || party.status === 'held' ? 'silent' : party.status,
      code,
      ...nothing,
    };
  });
}

/** What the release claims of each contributor's records: the weakest unit, and the largest loss. */
function releasePrivacy(
  { query }: ClosedRound,
  answered: readonly Answered[],
): ReleaseHeader['privacy'] {
  const contributors = answered.map(({ contribution: { groups, receipt } }) => ({
    groups,
    privacy: receipt.payload.privacy,
  }));
  const loss = reportedLoss(query.rho);
  const everyPerson = contributors.every(({ privacy }) => privacy.unit === 'person-year');
  return {
    unit: everyPerson ? 'person-year' : 'incident',
    rho: query.rho,
    ...loss,
    exactEpsilon: query.linkage ? loss.epsilon : exactEpsilon(query, contributors),
  };
}

/** What every release says, whatever it counts; the receipts that it names are stored. */
async function headerOf(
  sources: Omit<ReleaseSources, 'onProgress'>,
  answered: readonly Answered[],
): Promise<Omit<ReleaseHeader, 'linked' | 'classes' | 'groups'>> {
  const { round, federation, blobs } = sources;
  // each waits for the disk: together they wait once
  await Promise.all(
    answered.map(({ contribution }) => blobs.put(canonicalBytes(contribution.receipt))),
  );
  return {
    version: 1,
    round: round.id,
    manifest: federation.hash,
    fingerprint: round.fingerprint,
    query: round.query,
    sentence: describeQuery(round.query),
    coverage: coverageOf(sources),
    privacy: releasePrivacy(round, answered),
  };
}

const answeredOf = ({ standings, contributions }: ClosedRound): Answered[] => {
  const answered = partiesOf(standings, contributions).filter(
    (party): party is Answered => party.status === 'answered',
  );
  if (answered.length === 0) throw new ConcordatError('no-contribution', 'no agency answered');
  return answered;
};

/**
 * The release of a linked count, which has no tree: the same header for the same answers, whenever it is composed. It needs the
 * coordinator's box key, so it is composed in its own process. Throws `no-contribution` and what `countRound` throws.
 */
export async function composeLinked(
  sources: Omit<ReleaseSources, 'onProgress'>,
  box: BoxKey,
): Promise<ReleaseHeader> {
  const { round, federation, vectors } = sources;
  const { query, fingerprint } = round;
  const answered = answeredOf(round);
  if (!query.linkage) throw new ConcordatError('wrong-round', 'the round asks for no linked count');
  const { linkage } = query;
  const counting = { query, linkage, fingerprint, answered, federation, vectors, box };
  const linked = await countRound(counting);
  return { ...(await headerOf(sources, answered)), linked, classes: [], groups: [] };
}

/**
 * Composes and writes everything but the header itself, which it returns: the same header for the same round, whenever it is composed.
 * Throws `no-contribution`, and what a missing or wrong vector throws.
 */
export async function composeRelease(sources: ReleaseSources): Promise<ReleaseHeader> {
  const { round } = sources;
  const answered = answeredOf(round);

  const classes = new Map<string, { readonly at: number; readonly coverage: CoverageClass }>();
  const groups: ReleaseHeader['groups'] = [];
  const wanted = groupsOf(round.query);
  let done = 0;
  for (const group of wanted) {
    const parties = answered.filter(({ contribution }) =>
      contribution.groups.some((answer) => sameGroup(answer, group)),
    );
    // Nobody holds it: the group is missing from the release, which is not the same as zero.
    if (parties.length === 0) continue;
    const key = parties.map(({ agency }) => agency).join();
    const known = classes.get(key) ?? {
      at: classes.size,
      coverage: await openClass(parties, sources),
    };
    classes.set(key, known);
    groups.push({
      ...(await composeGroup(group, known.coverage, sources)),
      coverageClass: known.at,
    });
    done += 1;
    sources.onProgress(done / wanted.length);
  }
  return {
    ...(await headerOf(sources, answered)),
    ...(sources.unmasked ? { sealed: await sealedPart(sources.unmasked, sources.blobs) } : {}),
    classes: [...classes.values()].map(({ coverage }) => ({
      agencies: [...coverage.agencies],
      domain: coverage.domainBlob,
      variance: coverage.varianceBlob,
      rawVariance: coverage.rawVarianceBlob,
    })),
    groups,
  };
}
