import { readFile } from 'node:fs/promises';
import { ConcordatError, parseCanonicalJson } from '#libs/bytes';
import {
  buildTree,
  type Domain,
  embed,
  type GridTree,
  parseDomainFile,
  type Resolution,
  unionDomains,
} from '#libs/grid';
import type { Blobs } from '#libs/journal';
import { ReleaseHeader } from '#libs/protocol';
import { LayerSum } from '../map/map-layer.js';
import type { GroupColumns } from './release-reader.js';

interface Opened {
  readonly header: ReleaseHeader;
  readonly tree: GridTree;
  /** Per coverage class: node of `tree` for every node of the class's tree, and the class's variances. */
  readonly classes: readonly { readonly nodes: Int32Array; readonly variance: Float64Array }[];
}

/** A release that the log names; when it was released stands there and not in the header. */
export interface Announced {
  readonly id: string;
  readonly header: ReleaseHeader;
  readonly releasedAt: string;
}

/** How many releases keep their trees in memory. */
const KEPT_OPEN = 3;

const int32 = (bytes: Uint8Array): Int32Array =>
  new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
const float64 = (bytes: Uint8Array): Float64Array =>
  new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));

/** Published releases: immutable blobs, listed by the log. What is not announced by a log entry does not exist. */
export class ReleaseStore {
  /** Newest first. */
  private readonly announced: Announced[] = [];
  private readonly counts: Announced[] = [];
  private readonly watchers = new Set<() => void>();
  private readonly opened = new Map<string, Promise<Opened>>();

  constructor(private readonly blobs: Blobs) {}

  /** A header that was composed; the release exists once the log says so and `announce` was called. Throws `blob-missing` or `blob-corrupt`. */
  async header(id: string): Promise<ReleaseHeader> {
    const parsed = ReleaseHeader.safeParse(parseCanonicalJson(await this.blobs.get(id)));
    if (parsed.success) return parsed.data;
    throw new ConcordatError('blob-corrupt', 'the header of a release is not of this version');
  }

  /** Lists a release whose `round.released` entry is in the log. */
  announce(release: Announced): void {
    (release.header.linked ? this.counts : this.announced).unshift(release);
    for (const wake of this.watchers) wake();
  }

  /** How many releases there are, now and whenever there are more, until `signal` is aborted. */
  async *growth(signal: AbortSignal): AsyncGenerator<number> {
    let told = -1;
    let wake: () => void = () => {};
    const look = (): void => wake();
    this.watchers.add(look);
    signal.addEventListener('abort', look);
    try {
      while (!signal.aborted) {
        const count = this.announced.length + this.counts.length;
        if (count !== told) {
          told = count;
          yield count;
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      this.watchers.delete(look);
      signal.removeEventListener('abort', look);
    }
  }

  /** The same, out of its header blob. Throws `blob-missing` or `blob-corrupt`. */
  async replay(id: string, releasedAt: string): Promise<void> {
    this.announce({ id, header: await this.header(id), releasedAt });
  }

  /** Those with cells, newest first. */
  all(): readonly Announced[] {
    return this.announced;
  }

  /** Linked counts, which are one number and have no cells; newest first. */
  linked(): readonly Announced[] {
    return this.counts;
  }

  find(id: string): Announced | undefined {
    return this.announced.find((release) => release.id === id);
  }

  /** Tree over the union of every coverage class's domain. */
  async tree(id: string): Promise<GridTree> {
    return (await this.open(id)).tree;
  }

  /** One group's columns over `tree(id)`; nodes that no agency of the group covers hold zeros and `covered` 0. */
  async columns(id: string, group: number): Promise<GroupColumns> {
    const { header, tree, classes } = await this.open(id);
    const blobs = header.groups[group];
    const coverage = blobs && classes[blobs.coverageClass];
    if (!blobs || !coverage) throw new ConcordatError('not-found', 'the release has no such group');
    const [raw, estimate, integer] = await Promise.all([
      this.blobs.get(blobs.raw).then(int32),
      this.blobs.get(blobs.estimate).then(float64),
      this.blobs.get(blobs.integer).then(int32),
    ]);
    const columns: GroupColumns = {
      raw: new Int32Array(tree.nodeCount),
      estimate: new Float64Array(tree.nodeCount),
      variance: new Float64Array(tree.nodeCount),
      integer: new Int32Array(tree.nodeCount),
      covered: new Uint8Array(tree.nodeCount),
    };
    const { nodes, variance } = coverage;
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i] as number;
      columns.raw[node] = raw[i] as number;
      columns.estimate[node] = estimate[i] as number;
      columns.variance[node] = variance[i] as number;
      columns.integer[node] = integer[i] as number;
      columns.covered[node] = 1;
    }
    return columns;
  }

  /** Sum over the groups of a category and a period; `null` means all of them. Throws `not-found`. */
  async sum(id: string, category: string | null, period: string | null): Promise<LayerSum> {
    const { header, tree } = await this.open(id);
    const wanted = [...header.groups.keys()].filter((i) => {
      const group = header.groups[i];
      return (
        (category === null || group?.category === category) &&
        (period === null || group?.period === period)
      );
    });
    if (wanted.length === 0) {
      const { categories, periods } = header.query;
      throw new ConcordatError(
        'no-such-layer',
        `the release has no counts of this category and period; it has ${categories.join(', ')}, from ${periods[0]} to ${periods.at(-1)}`,
      );
    }
    const sum = new LayerSum(tree.nodeCount, wanted.length);
    for (const group of wanted) sum.add(await this.columns(id, group));
    return sum;
  }

  private open(id: string): Promise<Opened> {
    const known = this.opened.get(id);
    if (known !== undefined) return known;
    const opening = this.read(id);
    this.opened.set(id, opening);
    opening.catch(() => this.opened.delete(id));
    for (const old of this.opened.keys()) {
      if (this.opened.size <= KEPT_OPEN) break;
      this.opened.delete(old);
    }
    return opening;
  }

  private async read(id: string): Promise<Opened> {
    const header = this.find(id)?.header;
    if (!header) throw new ConcordatError('not-found', 'there is no such release');
    const finest = header.query.resolution as Resolution;
    const domains = await Promise.all(header.classes.map(({ domain }) => this.domain(domain)));
    const tree = buildTree(unionDomains('release', domains), { finest });
    const classes = await Promise.all(
      header.classes.map(async ({ variance }, i) => ({
        nodes: embed(buildTree(domains[i] as Domain, { finest }), tree),
        variance: float64(await this.blobs.get(variance)),
      })),
    );
    return { header, tree, classes };
  }

  private async domain(hash: string): Promise<Domain> {
    const text = await readFile(this.blobs.path(hash), 'utf8');
    return parseDomainFile('coverage', text);
  }
}
