/**
 * Linking people one to one from labels, for evaluation on labelled files only: a deployment counts (see `join.ts`) and
 * never learns which records belong together.
 */
import { type MatchKey, PERSONAL_FIELDS, readsField } from './match-key.js';

/** Labels of one file under one key, in row order; null where the record has no such key. */
export type LabelColumn = readonly (string | null)[];

export interface LinkedPair {
  readonly left: number;
  readonly right: number;
  /** Keys that join the pair. */
  readonly votes: number;
}

/** A label that more rows of one file share says nothing of who they are. */
const MOST_ROWS = 16;

const rowsByLabel = (labels: LabelColumn): Map<string, number[]> => {
  const rows = new Map<string, number[]>();
  labels.forEach((label, row) => {
    if (label === null) return;
    const same = rows.get(label);
    if (same) same.push(row);
    else rows.set(label, [row]);
  });
  return rows;
};

/**
 * Which rows of one file are one person, as the lowest row of each: rows that share the labels of at least two in three keys that both
 * have, and two at least, and whoever they share as many with. Twins at one address share fewer: all keys that read a forename tell them apart.
 */
function peopleOf(columns: readonly LabelColumn[], groups: readonly Map<string, number[]>[]) {
  const count = columns[0]?.length ?? 0;
  const shared = new Map<number, number>();
  for (const group of groups) {
    for (const rows of group.values()) {
      if (rows.length < 2 || rows.length > MOST_ROWS) continue;
      rows.forEach((a, i) => {
        for (const b of rows.slice(i + 1)) {
          const pair = a * count + b;
          shared.set(pair, (shared.get(pair) ?? 0) + 1);
        }
      });
    }
  }
  const person = Int32Array.from({ length: count }, (_, row) => row);
  const find = (row: number): number => {
    let at = row;
    while (person[at] !== at) at = person[at] as number;
    person[row] = at;
    return at;
  };
  for (const [pair, votes] of shared) {
    const [a, b] = [Math.floor(pair / count), pair % count];
    const both = columns.filter((labels) => labels[a] !== null && labels[b] !== null).length;
    if (votes < 2 || 3 * votes < 2 * both) continue;
    const [one, other] = [find(a), find(b)];
    person[Math.max(one, other)] = Math.min(one, other);
  }
  return person.map((_, row) => find(row));
}

/** The persons of one file among the rows that share a label, each with the first of those rows. */
function ownersOf(rows: readonly number[], person: Int32Array): ReadonlyMap<number, number> {
  const owners = new Map<number, number>();
  for (const row of rows) {
    const owner = person[row] as number;
    if (!owners.has(owner)) owners.set(owner, row);
  }
  return owners;
}

/**
 * Pairs of rows, each person of either file in at most one. A key proposes a pair when its label is that of one person in either file. One
 * that reads a personal field proposes all pairs of those who share its label: they are records of one person that nothing else joined,
 * seldom twins, and the votes of other keys tell which are alike; so a further key adds proposals and takes none away but by joining
 * records. Pairs with more votes win, then pairs of earlier keys, then lower rows. Depends on which labels are equal, never on the labels.
 * `left` and `right` are in step with `keys`.
 */
export function linkRows(
  keys: readonly MatchKey[],
  left: readonly LabelColumn[],
  right: readonly LabelColumn[],
): LinkedPair[] {
  const [leftGroups, rightGroups] = [left.map(rowsByLabel), right.map(rowsByLabel)];
  const here = peopleOf(left, leftGroups);
  const there = peopleOf(right, rightGroups);
  const proposed = new Map<string, { left: number; right: number; votes: number; key: number }>();
  keys.forEach((matchKey, key) => {
    const most = readsField(matchKey, PERSONAL_FIELDS) ? MOST_ROWS : 1;
    const others = rightGroups[key];
    for (const [label, rows] of leftGroups[key] ?? []) {
      const owners = ownersOf(rows, here);
      const candidates = ownersOf(others?.get(label) ?? [], there);
      if (owners.size > most || candidates.size > most) continue;
      for (const [one, row] of owners) {
        for (const [other, otherRow] of candidates) {
          const id = `${one},${other}`;
          const pair = proposed.get(id) ?? { left: row, right: otherRow, votes: 0, key };
          pair.votes++;
          proposed.set(id, pair);
        }
      }
    }
  });
  const order = [...proposed.values()].sort(
    (a, b) => b.votes - a.votes || a.key - b.key || a.left - b.left || a.right - b.right,
  );
  const [usedLeft, usedRight] = [new Set<number>(), new Set<number>()];
  return order
    .filter((pair) => {
      const [one, other] = [here[pair.left] as number, there[pair.right] as number];
      if (usedLeft.has(one) || usedRight.has(other)) return false;
      usedLeft.add(one);
      usedRight.add(other);
      return true;
    })
    .map(({ left: l, right: r, votes }) => ({ left: l, right: r, votes }));
}
