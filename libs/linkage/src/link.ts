/**
 * Linking records one to one from labels, for evaluation on labelled files only: a deployment counts (see `join.ts`) and
 * never learns which records belong together.
 */

/** Labels of one file under one key, in row order; null where the record has no such key. */
export type LabelColumn = readonly (string | null)[];

export interface LinkedPair {
  readonly left: number;
  readonly right: number;
  /** Keys that join the pair. */
  readonly votes: number;
}

const uniqueRows = (labels: LabelColumn): Map<string, number> => {
  const rows = new Map<string, number>();
  labels.forEach((label, row) => {
    if (label !== null) rows.set(label, rows.has(label) ? -1 : row);
  });
  return rows;
};

/**
 * Pairs of rows, each row in at most one. A key proposes a pair when its label stands exactly once in either file; pairs
 * with more votes win, then pairs of earlier keys, then lower rows. Depends on which labels are equal, never on the labels.
 */
export function linkRows(
  left: readonly LabelColumn[],
  right: readonly LabelColumn[],
): LinkedPair[] {
  const proposed = new Map<string, { left: number; right: number; votes: number; key: number }>();
  left.forEach((labels, key) => {
    const here = uniqueRows(labels);
    for (const [label, there] of uniqueRows(right[key] ?? [])) {
      const row = here.get(label);
      if (row === undefined || row < 0 || there < 0) continue;
      const id = `${row},${there}`;
      const pair = proposed.get(id) ?? { left: row, right: there, votes: 0, key };
      pair.votes++;
      proposed.set(id, pair);
    }
  });
  const order = [...proposed.values()].sort(
    (a, b) => b.votes - a.votes || a.key - b.key || a.left - b.left || a.right - b.right,
  );
  const usedLeft = new Set<number>();
  const usedRight = new Set<number>();
  return order
    .filter((pair) => {
      if (usedLeft.has(pair.left) || usedRight.has(pair.right)) return false;
      usedLeft.add(pair.left);
      usedRight.add(pair.right);
      return true;
    })
    .map(({ left: l, right: r, votes }) => ({ left: l, right: r, votes }));
}
