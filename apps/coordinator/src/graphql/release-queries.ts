import { Inject, Injectable } from '@nestjs/common';
import { ConcordatError } from '#libs/bytes';
import {
  addRational,
  confidenceInterval,
  formatRational,
  parseRational,
  standardError,
} from '#libs/dp';
import { cellToText } from '#libs/grid';
import type { LayerSum } from '../map/map-layer.js';
import { ReleaseStore } from '../releases/release-store.js';
import type { LedgerLine } from './federation-models.js';
import type { Cell, CellPage, Estimate, LinkedCount, Release } from './release-models.js';

const MAX_PAGE = 5_000;
const MAX_LISTED = 100;

const estimateAt = (sum: LayerSum, node: number): Estimate => {
  const estimate = sum.estimate[node] as number;
  const variance = sum.variance[node] as number;
  return {
    estimate,
    standardError: standardError(variance),
    ...confidenceInterval(estimate, variance),
    integer: sum.integer[node] as number,
  };
};

export interface CellsRequest {
  readonly release: string;
  readonly resolution: number;
  readonly category: string | null;
  readonly period: string | null;
  readonly orderBy: string;
  readonly first: number;
  readonly after: string | null;
}

/** Published releases as GraphQL serves them. Numbers come from the release's blobs; nothing is estimated here. */
@Injectable()
export class ReleaseQueries {
  /** Sums that were asked for last: paging through a release would otherwise add them up for every page. */
  private readonly sums = new Map<string, Promise<LayerSum>>();

  constructor(@Inject(ReleaseStore) private readonly store: ReleaseStore) {}

  list(first: number): Promise<Release[]> {
    if (!(first >= 1 && first <= MAX_LISTED)) {
      throw new ConcordatError('bad-page', `ask for 1 to ${MAX_LISTED} releases`);
    }
    return Promise.all(
      this.store
        .all()
        .slice(0, first)
        .map(({ id }) => this.required(id)),
    );
  }

  async release(id: string): Promise<Release | null> {
    return this.store.find(id) ? this.required(id) : null;
  }

  async cells(request: CellsRequest): Promise<CellPage> {
    const { first, after, orderBy, resolution } = request;
    if (!(first >= 1 && first <= MAX_PAGE)) {
      throw new ConcordatError('bad-page', `ask for 1 to ${MAX_PAGE} cells a page`);
    }
    if (orderBy !== 'cell' && orderBy !== 'estimate') {
      throw new ConcordatError('bad-order', 'order by cell or by estimate');
    }
    const offset = after === null ? 0 : /^\d{1,9}$/.test(after) ? Number(after) : Number.NaN;
    if (Number.isNaN(offset))
      throw new ConcordatError('bad-cursor', 'after is the endCursor of another page');
    const tree = await this.store.tree(request.release);
    const level = tree.levelResolution.indexOf(resolution, 1);
    if (level < 0)
      throw new ConcordatError(
        'no-such-resolution',
        `the release has estimates at resolutions ${tree.levelResolution[1]} to ${tree.levelResolution.at(-1)}`,
      );
    const sum = await this.sum(request.release, request.category, request.period);
    const nodes: number[] = [];
    for (
      let node = tree.levelStart[level] as number;
      node < (tree.levelStart[level + 1] as number);
      node++
    ) {
      if (sum.coverage[node] !== 0) nodes.push(node);
    }
    if (orderBy === 'estimate') {
      nodes.sort((a, b) => (sum.estimate[b] as number) - (sum.estimate[a] as number) || a - b);
    }
    const page = nodes.slice(offset, offset + first);
    const next = offset + page.length;
    return {
      nodes: page.map(
        (node): Cell => ({
          id: cellToText(tree.cells[node] as bigint),
          resolution,
          ...estimateAt(sum, node),
        }),
      ),
      endCursor: next < nodes.length ? String(next) : null,
      totalCount: nodes.length,
    };
  }

  /** Linked counts, newest first. Throws `bad-page`. */
  linkedCounts(first: number): LinkedCount[] {
    if (!(first >= 1 && first <= MAX_LISTED)) {
      throw new ConcordatError('bad-page', `ask for 1 to ${MAX_LISTED} releases`);
    }
    return this.store
      .linked()
      .slice(0, first)
      .flatMap(({ id, header: { linked, ...header }, releasedAt }) =>
        linked
          ? [
              {
                id,
                fingerprint: header.fingerprint,
                sentence: header.sentence,
                releasedAt,
                naive: linked.naive,
                corrected: linked.corrected,
                low: linked.low,
                high: linked.high,
                epsilon: Number(header.privacy.epsilon),
                delta: Number(header.privacy.delta),
              },
            ]
          : [],
      );
  }

  ledger(): LedgerLine[] {
    const lines = new Map<
      string,
      { spent: ReturnType<typeof parseRational>; receipts: Set<string> }
    >();
    for (const { header } of [...this.store.all(), ...this.store.linked()]) {
      for (const { agency, rhoSpent, answer } of header.coverage) {
        if (rhoSpent === null || answer === null) continue;
        const line = lines.get(agency) ?? {
          spent: parseRational('0'),
          receipts: new Set<string>(),
        };
        // The same logged answer may stand in several releases; it was paid for once.
        if (!line.receipts.has(answer))
          line.spent = addRational(line.spent, parseRational(rhoSpent));
        line.receipts.add(answer);
        lines.set(agency, line);
      }
    }
    return [...lines].map(([agency, { spent, receipts }]) => ({
      agency,
      rhoSpent: formatRational(spent),
      releases: receipts.size,
    }));
  }

  private async required(id: string): Promise<Release> {
    const announced = this.store.find(id);
    if (!announced) throw new ConcordatError('not-found', 'there is no such release');
    const { header, releasedAt } = announced;
    const { query, privacy } = header;
    const tree = await this.store.tree(id);
    const sum = await this.sum(id, null, null);
    const leaves = tree.levelStart[tree.levelResolution.length - 1] as number;
    let nonZeroCells = 0;
    for (let node = leaves; node < tree.nodeCount; node++) {
      if ((sum.integer[node] as number) > 0) nonZeroCells++;
    }
    return {
      id,
      fingerprint: header.fingerprint,
      sentence: header.sentence,
      releasedAt,
      sealed: header.sealed !== undefined,
      grid: query.grid,
      gridHash: query.gridHash,
      resolution: query.resolution,
      categories: [...query.categories],
      periods: [...query.periods],
      privacy: {
        unit: privacy.unit,
        rho: privacy.rho,
        epsilon: Number(privacy.epsilon),
        exactEpsilon: Number(privacy.exactEpsilon),
        delta: Number(privacy.delta),
      },
      coverage: header.coverage.map(
        ({ agency, name, status, code, categories, periods, rhoSpent, privacy: unit }) => ({
          agency,
          name,
          status,
          code,
          categories: [...categories],
          periods: [...periods],
          rhoSpent,
          privacy: unit,
        }),
      ),
      domainCells: tree.nodeCount - leaves,
      nonZeroCells,
      total: estimateAt(sum, 0),
    };
  }

  private sum(id: string, category: string | null, period: string | null): Promise<LayerSum> {
    const key = JSON.stringify([id, category, period]);
    const known = this.sums.get(key);
    if (known) return known;
    const adding = this.store.sum(id, category, period);
    this.sums.clear();
    this.sums.set(key, adding);
    adding.catch(() => this.sums.delete(key));
    return adding;
  }
}
