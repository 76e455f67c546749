/**
 * Hockey-stick audit of the whole answer path: two nodes whose records differ by one incident in every group answer the same
 * questions from DuckDB to the logged vector. Groups are disjoint, so each is one trial of one incident more or less. The
 * bound on epsilon is wrong with probability at most 1e-6 (Clopper-Pearson); seeds are fixed.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  answerEvents,
  epsilonAtDelta,
  exactCounts,
  INCIDENT_BOUNDS,
  levelVariances,
  parseRational,
  parseRho,
  rationalToNumberUp,
} from '#libs/dp';
import { cellAt, domainFromCells } from '#libs/grid';
import { CATEGORIES, monthsOf } from '#libs/query';
import {
  auditEpsilonLowerBound,
  Federation,
  type StreetRow,
  seededRandom,
  streetFile,
} from '#libs/testing';
import { answerQuery } from './answer-query.js';
import type { Node } from './node.js';
import { openNode } from './open-node.js';

/** rho 9/2 is a Gaussian of mu = 3, delta chosen so that 10,000 judged trials tell sigma from 9/10 of it (computed beforehand). */
const RHO = '9/2';
const DELTA = 0.7;
/** A node asked at this budget draws noise of 9/10 of the standard deviation that RHO buys. */
const RHO_OF_SHORT_SIGMA = '50/9';
const TRIALS = 20_000;

const cell = cellAt(51.4545, -2.5879, 9);
const domain = domainFromCells('test/one-cell', BigUint64Array.of(cell));
/** As long as a grant's longest window. */
const months = monthsOf('2021-01/2023-12');
/** So many incidents in every category and month. */
const records = (each: number): string =>
  streetFile(
    CATEGORIES.flatMap((category) =>
      months.flatMap((month) =>
        Array.from({ length: each }, (): StreetRow => ({ month, type: category, cell })),
      ),
    ),
  );

let federation: Federation;
beforeAll(async () => {
  federation = await Federation.open({
    agencies: [
      { id: 'with-one-more', domain, files: { 'street.csv': records(2) } },
      { id: 'without', domain, files: { 'street.csv': records(1) } },
    ],
    limits: { rhoPerQuery: '100', rhoPerYear: '1000000', queriesPerDay: 100_000 },
    serve: false,
  });
});
afterAll(() => federation?.close());

const levels = levelVariances({ rho: parseRho(RHO), finest: 9, l2SensitivitySquared: 1n });
const claimed = epsilonAtDelta(answerEvents(levels, INCIDENT_BOUNDS, 1), DELTA).upper;

/** Different questions over the same data: all months but two. */
function* questions(): Generator<string[]> {
  for (let i = 0; i < months.length; i++) {
    for (let j = i + 1; j < months.length; j++) {
      yield months.filter((_, month) => month !== i && month !== j);
    }
  }
}

interface Trials {
  /** Log-likelihood ratio of "one incident more" of every group answered. */
  readonly statistic: Float64Array;
}

/** Answers of one node to as many questions as give `TRIALS` groups; `mutate` builds the node's faulty twin. */
async function ask(
  agency: string,
  seed: string,
  rho: string,
  mutate: (node: Node) => Node,
): Promise<Trials> {
  const node = await openNode(federation.folder(agency), {
    nowMs: () => federation.nowMs,
    random: seededRandom(seed),
  });
  const statistic = new Float64Array(TRIALS);
  let trials = 0;
  try {
    const twin = mutate(node);
    for (const periods of questions()) {
      const task = federation.taskFor(agency, { categories: [...CATEGORIES], periods, rho });
      const outcome = await answerQuery(task, twin);
      if (outcome.status !== 'answered') throw new Error(`not answered: ${outcome.status}`);
      const { groups, levelVariances: sigma2, entry } = outcome.answer;
      const weights = sigma2.map((text) => 1 / rationalToNumberUp(parseRational(text)));
      const bytes = await node.blobs.get(entry.blob);
      const released = new Int32Array(bytes.slice().buffer);
      expect(released).toHaveLength(groups.length * weights.length);
      for (let group = 0; group < groups.length && trials < TRIALS; group++) {
        // A tree of one cell a level: node i of a group is level i.
        statistic[trials++] = weights.reduce(
          (sum, weight, level) => sum + weight * (released[group * weights.length + level] ?? 0),
          0,
        );
      }
      if (trials === TRIALS) return { statistic };
    }
  } finally {
    await node.close();
  }
  throw new Error('there are not enough different questions');
}

async function audit(
  seed: string,
  rho: string = RHO,
  mutate: (node: Node) => Node = (node) => node,
): Promise<number> {
  const { statistic: more } = await ask('with-one-more', `${seed} more`, rho, mutate);
  const { statistic: fewer } = await ask('without', `${seed} fewer`, rho, mutate);
  return auditEpsilonLowerBound(more, fewer, { delta: DELTA }).epsilon;
}

describe('the audit of a node from records to logged answer', () => {
  it('finds no more loss than claimed, and most of it', async () => {
    const found = await audit('sound');
    expect(found).toBeLessThanOrEqual(claimed);
    expect(found).toBeGreaterThan(0.6 * claimed);
  });

  it('mutant: a standard deviation 10 % short of what the budget buys is caught', async () => {
    expect(await audit('short', RHO_OF_SHORT_SIGMA)).toBeGreaterThan(claimed);
  });

  it('mutant: records that count an incident twice are caught', async () => {
    const twice = (node: Node): Node => ({
      ...node,
      records: {
        ...node.records,
        count: async (request) =>
          exactCounts((await node.records.count(request)).map((count) => 2 * count)),
      },
    });
    // Another budget, so that the node does not repeat the answers it gave before.
    expect(await audit('twice', '449/100', twice)).toBeGreaterThan(claimed);
  });
});
