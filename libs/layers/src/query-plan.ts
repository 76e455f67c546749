/**
 * Which questions to ask with one budget: categories that need the same resolution are asked together, as one question costs the
 * same for one category or for all. Greedy by gain per cost, not proved to be the best plan.
 */
import type { Category } from '#libs/query';

/** Least budget, in steps, at which a category can be read at a resolution when that is the finest of its question. */
export interface Need {
  readonly category: Category;
  readonly resolution: number;
  readonly steps: number;
}

export interface PlannedQuery {
  readonly resolution: number;
  readonly steps: number;
  readonly categories: readonly Category[];
}

/** A resolution is worth one for each level below 3. */
const worth = (resolution: number): number => resolution - 3;

/** Finest resolution at which each category can be read when `budgets` (steps by resolution) are spent. */
function reached(needs: readonly Need[], budgets: ReadonlyMap<number, number>) {
  const best = new Map<Category, number>();
  for (const { category, resolution, steps } of needs) {
    if ((budgets.get(resolution) ?? 0) < steps) continue;
    best.set(category, Math.max(best.get(category) ?? 0, resolution));
  }
  return best;
}

const value = (best: ReadonlyMap<Category, number>): number =>
  [...best.values()].reduce((sum, resolution) => sum + worth(resolution), 0);

const cost = (budgets: ReadonlyMap<number, number>): number =>
  [...budgets.values()].reduce((sum, steps) => sum + steps, 0);

/** Budgets without what no category is read from. */
function pruned(needs: readonly Need[], budgets: ReadonlyMap<number, number>) {
  const best = reached(needs, budgets);
  const kept = new Map<number, number>();
  for (const { category, resolution, steps } of needs) {
    if (best.get(category) !== resolution) continue;
    kept.set(resolution, Math.max(kept.get(resolution) ?? 0, steps));
  }
  return kept;
}

/** Questions, finest first, whose steps sum to `budget` at most. A category of none cannot be read within the budget. */
export function chooseQueries(needs: readonly Need[], budget: number): readonly PlannedQuery[] {
  let budgets: ReadonlyMap<number, number> = new Map();
  for (;;) {
    const now = value(reached(needs, budgets));
    let next: ReadonlyMap<number, number> | undefined;
    let rate = 0;
    for (const { resolution, steps } of needs) {
      if (steps <= (budgets.get(resolution) ?? 0)) continue;
      const raised = pruned(needs, new Map(budgets).set(resolution, steps));
      if (cost(raised) > budget) continue;
      const gain = value(reached(needs, raised)) - now;
      const perStep = gain / Math.max(1, cost(raised) - cost(budgets));
      if (gain > 0 && perStep > rate) {
        rate = perStep;
        next = raised;
      }
    }
    if (!next) break;
    budgets = next;
  }
  const best = reached(needs, budgets);
  return [...budgets]
    .sort(([a], [b]) => b - a)
    .map(([resolution, steps]) => ({
      resolution,
      steps,
      categories: [...best]
        .filter(([, own]) => own === resolution)
        .map(([category]) => category)
        .sort(),
    }));
}
