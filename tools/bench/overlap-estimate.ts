/** The corrected overlap on invented populations whose true overlap is known: bias, and how often the interval holds it. */
import { isConcordatError } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import {
  estimateOverlap,
  type OverlapCounts,
  plainCounts,
  type SyntheticLists,
  type SyntheticPlan,
  type SyntheticRecord,
  standardise,
  syntheticLists,
} from '#libs/linkage';
import { type CarelessPlan, carelessLists } from './careless-people.js';
import type { Emit } from './line.js';
import { seededWords } from './seeded-words.js';

/** Bias and coverage of estimates whose truth is known. */
class Score {
  private sum = 0;
  private naive = 0;
  private covered = 0;
  private runs = 0;
  private refused = 0;

  add(counts: OverlapCounts, truth: number): void {
    try {
      const estimate = estimateOverlap(counts);
      this.sum += estimate.corrected / truth;
      this.naive += estimate.naive / truth;
      if (estimate.low <= truth && truth <= estimate.high) this.covered++;
      this.runs++;
    } catch (error) {
      if (!isConcordatError(error)) throw error;
      this.refused++;
    }
  }

  emit(name: string, emit: Emit): void {
    const { runs, refused } = this;
    if (runs > 0) {
      emit({
        name: `overlap-bias-${name}`,
        figure: this.sum / runs - 1,
        unit: `over ${runs} populations${refused > 0 ? `, ${refused} too small` : ''}`,
        peer: 'one strict key',
        ratio: this.naive / runs - 1,
      });
    }
    emit({
      name: `overlap-interval-coverage-${name}`,
      figure: runs > 0 ? this.covered / runs : 0,
      unit: `of ${runs} populations${refused > 0 ? `, ${refused} too small` : ''}`,
    });
  }
}

const SUBGROUPS = ['british', 'welsh', 'south-asian', 'east-european'] as const;

type Population = (random: RandomSource) => { both: number; lists: SyntheticLists };
const usualPeople =
  (plan: Partial<SyntheticPlan>): Population =>
  (random) => {
    const both = plan.both ?? 1000;
    const sizes = { both, onlyLeft: 2 * both, onlyRight: 2 * both };
    return { both, lists: syntheticLists({ dependence: 1, ...plan, ...sizes }, random) };
  };
const carelessPeople =
  (plan: Partial<CarelessPlan>): Population =>
  (random) => {
    const both = plan.both ?? 1000;
    return { both, lists: carelessLists({ ...plan, both, onlyEach: 2 * both }, random) };
  };

/** Populations of two generators; share of the runs that a case has. */
const POPULATIONS: readonly (readonly [name: string, population: Population, share: number])[] = [
  ['usual', usualPeople({}), 1],
  ['independent-errors', usualPeople({ dependence: 0 }), 1],
  ['twice-the-dependence', usualPeople({ dependence: 2 }), 1],
  ['few-name-changes', usualPeople({ nameChange: 0.02 }), 1],
  ['many-name-changes', usualPeople({ nameChange: 0.2 }), 1],
  ['single-names', usualPeople({ singleNames: 0.05 }), 1],
  ['300-known-to-both', usualPeople({ both: 300 }), 1],
  ['10000-known-to-both', usualPeople({ both: 10_000 }), 0.1],
  ['careless', carelessPeople({}), 1],
  ['careless-independent', carelessPeople({ ofPeople: 0, ofEncounters: 0 }), 1],
  ['careless-very-unequal', carelessPeople({ ofPeople: 1, ofEncounters: 1 }), 1],
  ['careless-dirty', carelessPeople({ errors: [0.06, 0.08, 0.03, 0.03], moves: 0.25 }), 1],
  ['careless-dates-missing', carelessPeople({ datesMissing: [0.02, 0.1] }), 1],
  ['careless-households-move', carelessPeople({ householdMoves: 0.08 }), 1],
  ['careless-dates-heap', carelessPeople({ firstOfJanuary: 0.03 }), 1],
];

/** Whole populations under several error rates, and subgroups of the usual one, of twice the size, by the origin of names. */
export function benchEstimate(emit: Emit): void {
  const runs = process.env.CONCORDAT_NIGHTLY === '1' ? 240 : 20;
  const standard = (list: readonly SyntheticRecord[]) =>
    list.map(({ record }) => standardise(record));
  for (const [name, population, share] of POPULATIONS) {
    const score = new Score();
    for (let run = 1; run <= Math.ceil(runs * share); run++) {
      const { both, lists } = population(seededWords(run));
      score.add(plainCounts(standard(lists.left), standard(lists.right)), both);
    }
    score.emit(name, emit);
  }
  const groups = new Map(SUBGROUPS.map((origin) => [origin, new Score()]));
  for (let run = 1; run <= runs; run++) {
    const { lists } = usualPeople({ both: 2000 })(seededWords(run));
    for (const [origin, group] of groups) {
      const [a, b] = [lists.left, lists.right].map((list) =>
        list.filter((one) => one.origin === origin),
      ) as [SyntheticRecord[], SyntheticRecord[]];
      const there = new Set(b.map(({ person }) => person));
      const truth = a.filter(({ person }) => there.has(person)).length;
      group.add(plainCounts(standard(a), standard(b)), truth);
    }
  }
  for (const [origin, group] of groups) group.emit(`${origin}-names`, emit);
}
