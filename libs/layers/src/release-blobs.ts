/** Public releases as layers read them: headers and columns by hash, trees of their coverage classes. */
import { ConcordatError, fromUtf8, parseCanonicalJson } from '#libs/bytes';
import { buildTree, type GridTree, parseDomainFile, type Resolution } from '#libs/grid';
import { ReleaseHeader } from '#libs/protocol';

/** Gives the bytes of a blob, having checked that they hash to its name. */
export interface BlobSource {
  get(hash: string): Promise<Uint8Array>;
}

export type ReleaseGroup = ReleaseHeader['groups'][number];

/**
 * The groups that the same agencies answered: their tree, and by node the noise of each raw sum (sigma^2) and the variance of each
 * estimate.
 */
export interface CoverageClass {
  readonly agencies: readonly string[];
  readonly domain: string;
  readonly tree: GridTree;
  readonly rawVariance: Float64Array;
  readonly variance: Float64Array;
}

export interface OpenRelease {
  readonly id: string;
  readonly header: ReleaseHeader;
  classOf(group: ReleaseGroup): Promise<CoverageClass>;
  raw(group: ReleaseGroup): Promise<Int32Array>;
  estimate(group: ReleaseGroup): Promise<Float64Array>;
}

const aligned = (bytes: Uint8Array): ArrayBuffer =>
  bytes.slice().buffer.slice(0, bytes.byteLength) as ArrayBuffer;

function column<T extends Int32Array | Float64Array>(
  bytes: Uint8Array,
  Column: { new (buffer: ArrayBuffer): T; BYTES_PER_ELEMENT: number },
  tree: GridTree,
): T {
  if (bytes.byteLength !== tree.nodeCount * Column.BYTES_PER_ELEMENT) {
    throw new ConcordatError('malformed-release', 'a column has another length than its tree');
  }
  return new Column(aligned(bytes));
}

function parseHeader(bytes: Uint8Array): ReleaseHeader {
  const parsed = ReleaseHeader.safeParse(parseCanonicalJson(bytes));
  if (parsed.success) return parsed.data;
  throw new ConcordatError(
    'malformed-release',
    'this is no release, or one of another version of this program',
  );
}

/** Trees by domain and finest resolution: the months of a series share them. */
export type TreeCache = Map<string, Promise<GridTree>>;

/** Opens a release. Throws `malformed-release`, and what the source throws. */
export async function openRelease(
  id: string,
  source: BlobSource,
  trees: TreeCache,
): Promise<OpenRelease> {
  const header = parseHeader(await source.get(id));
  const finest = header.query.resolution as Resolution;
  const classes = new Map<number, Promise<CoverageClass>>();

  const treeOf = (domain: string): Promise<GridTree> => {
    const key = `${domain} ${finest}`;
    const known = trees.get(key);
    if (known !== undefined) return known;
    const building = source
      .get(domain)
      .then((bytes) => buildTree(parseDomainFile('coverage', fromUtf8(bytes)), { finest }));
    trees.set(key, building);
    return building;
  };
  const open = async (at: number): Promise<CoverageClass> => {
    const coverage = header.classes[at];
    if (!coverage) {
      throw new ConcordatError('malformed-release', 'a group of the release has no coverage class');
    }
    const tree = await treeOf(coverage.domain);
    const rawVariance = column(await source.get(coverage.rawVariance), Float64Array, tree);
    const variance = column(await source.get(coverage.variance), Float64Array, tree);
    return { agencies: coverage.agencies, domain: coverage.domain, tree, rawVariance, variance };
  };
  const classOf = (group: ReleaseGroup): Promise<CoverageClass> => {
    const known = classes.get(group.coverageClass);
    if (known !== undefined) return known;
    const opening = open(group.coverageClass);
    classes.set(group.coverageClass, opening);
    return opening;
  };
  return {
    id,
    header,
    classOf,
    raw: async (group) =>
      column(await source.get(group.raw), Int32Array, (await classOf(group)).tree),
    estimate: async (group) =>
      column(await source.get(group.estimate), Float64Array, (await classOf(group)).tree),
  };
}
