/** Components of many records as integer columns: equal integers are equal values, 0 is missing. */
import { type ComponentName, componentOf } from './component.js';
import type { StandardPerson } from './standardise.js';

/** Numbers the distinct values of one component across the given lists of people, alike in all of them. */
export function encodeColumns(
  name: ComponentName,
  lists: readonly (readonly StandardPerson[])[],
): Int32Array[] {
  const codes = new Map<string, number>([['', 0]]);
  return lists.map((people) =>
    Int32Array.from(people, (person) => {
      const value = componentOf(name, person);
      const code = codes.get(value) ?? codes.size;
      codes.set(value, code);
      return code;
    }),
  );
}

/** Columns of pairs: equal where both given columns are equal, missing where either is. In step over several lists. */
export function pairColumns(a: readonly Int32Array[], b: readonly Int32Array[]): Int32Array[] {
  const codes = new Map<number, number>();
  return a.map((left, list) => {
    const right = b[list] as Int32Array;
    return left.map((x, row) => {
      const y = right[row] as number;
      if (x === 0 || y === 0) return 0;
      const pair = x * 0x4000000 + y;
      const code = codes.get(pair) ?? codes.size + 1;
      codes.set(pair, code);
      return code;
    });
  });
}

/** Pairs of rows of one column that hold the same value, and pairs of rows that hold any. */
export function collisions(column: Int32Array): { readonly equal: number; readonly pairs: number } {
  const counts = new Map<number, number>();
  let rows = 0;
  for (const code of column) {
    if (code === 0) continue;
    rows++;
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  let equal = 0;
  for (const count of counts.values()) equal += (count * (count - 1)) / 2;
  return { equal, pairs: (rows * (rows - 1)) / 2 };
}
