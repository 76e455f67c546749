import { isConcordatError } from '#libs/bytes';
import {
  COUNT_KEYS,
  countMatchKey,
  DECOYED_KEYS,
  decoyOf,
  estimateOverlap,
  linkRows,
  type MatchKey,
  matchKeyInput,
  onePerPerson,
  overlapCounts,
  type StandardPerson,
} from '#libs/linkage';
import type { PersonFile } from './person-file.js';

/** The answer of `concordat linkage evaluate`. */
export interface Evaluation {
  readonly keys: number;
  readonly pairs: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly overlap: {
    readonly naive: number;
    readonly corrected: number | null;
    readonly low: number | null;
    readonly high: number | null;
    readonly truth: number;
  };
}

/** One column of labels to make: a key over one of the lists. */
export interface ColumnTask {
  readonly column: string;
  readonly inputs: readonly (Uint8Array | null)[];
}

export type LabelColumns = ReadonlyMap<string, readonly (string | null)[]>;

type List = 'left' | 'right' | 'decoys';
const EVALUATION = { project: 'evaluation', epoch: '1' };
const nameOf = (list: List, key: MatchKey): string => `${list}/${key.id}`;

/** Every column that an evaluation of these files under these keys needs, each once. */
export function columnTasks(
  left: PersonFile,
  right: PersonFile,
  keys: readonly MatchKey[],
): ColumnTask[] {
  const tasks = new Map<string, ColumnTask>();
  const add = (list: List, key: MatchKey, people: readonly StandardPerson[]): void => {
    const column = nameOf(list, key);
    if (tasks.has(column)) return;
    tasks.set(column, {
      column,
      inputs: people.map((person) => matchKeyInput(key, person, EVALUATION)),
    });
  };
  for (const key of [...keys, ...COUNT_KEYS.map(countMatchKey)]) {
    add('left', key, left.people);
    add('right', key, right.people);
  }
  const decoys = right.people.map(decoyOf);
  for (const key of DECOYED_KEYS) add('decoys', countMatchKey(key), decoys);
  return [...tasks.values()];
}

/** Distinct people known to both: the truth that the id column tells. */
const sharedPeople = (left: PersonFile, right: PersonFile): number => {
  const there = new Set(right.entities);
  return [...new Set(left.entities)].filter((entity) => there.has(entity)).length;
};

/** The last row of each person of a file: as at a node, a person counts once however often their agency has them. */
const rowsOfPeople = ({ entities }: PersonFile): number[] =>
  onePerPerson([...entities.keys()], (row) => entities[row] as string);

function overlapOf(
  left: PersonFile,
  right: PersonFile,
  columns: LabelColumns,
): Evaluation['overlap'] {
  const [here, there] = [rowsOfPeople(left), rowsOfPeople(right)];
  const peopleIn = (file: PersonFile, rows: readonly number[]): StandardPerson[] =>
    rows.map((row) => file.people[row] as StandardPerson);
  const counts = overlapCounts(peopleIn(left, here), peopleIn(right, there), (key, list) => {
    const labels = columns.get(nameOf(list, countMatchKey(key))) ?? [];
    const rows = list === 'left' ? here : there;
    return new Set(rows.flatMap((row) => labels[row] ?? []));
  });
  const naive = counts.counts.FSDL?.shared ?? 0;
  const truth = sharedPeople(left, right);
  try {
    const { corrected, low, high } = estimateOverlap(counts);
    return { naive, corrected, low, high, truth };
  } catch (error) {
    if (!isConcordatError(error) || error.code !== 'overlap-too-small') throw error;
    return { naive, corrected: null, low: null, high: null, truth };
  }
}

/**
 * Links one to one from labels and compares with the ids. Precision and recall are over people: a person with several
 * records on a side can be found once. Null when there is nothing to divide by.
 */
export function evaluateLinkage(
  left: PersonFile,
  right: PersonFile,
  keys: readonly MatchKey[],
  columns: LabelColumns,
): Evaluation {
  const columnsOf = (list: List) => keys.map((key) => columns.get(nameOf(list, key)) ?? []);
  const linked = linkRows(keys, columnsOf('left'), columnsOf('right'));
  const right1 = linked.filter((pair) => left.entities[pair.left] === right.entities[pair.right]);
  const found = new Set(right1.map((pair) => left.entities[pair.left])).size;
  const overlap = overlapOf(left, right, columns);
  return {
    keys: keys.length,
    pairs: linked.length,
    precision: linked.length === 0 ? null : right1.length / linked.length,
    recall: overlap.truth === 0 ? null : found / overlap.truth,
    overlap,
  };
}
