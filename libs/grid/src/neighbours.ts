/**
 * The six neighbours of every cell of a vector at once. A step inside one base cell is digit arithmetic on the index (the
 * tables of h3NeighborRotations, H3 library, src/h3lib/lib/algos.c); steps over the edge of a base cell and everything
 * under the twelve pentagon base cells ask `h3-js`.
 */
import { gridDisk } from 'h3-js';
import { cellToText, resolutionOf } from './cell.js';
import { digitOf, HIGH, hasPentagonBase, LOW, wordsOf } from './cell-index.js';

/**
 * `targets[6 * i .. 6 * i + degrees[i] - 1]` are the positions, in the vector of cells, of the neighbours of cell i that
 * are in the vector; -1 fills the rest.
 */
export interface NeighbourLists {
  readonly targets: Int32Array;
  readonly degrees: Uint8Array;
}

const SIDES = 6;
const FINEST_RESOLUTION = 15;

// Rows: digit of the cell; columns: direction of the step (0 stays). Directions: 1 K, 2 J, 3 JK, 4 I, 5 IK, 6 IJ.
const table = (...rows: string[]): Uint8Array => Uint8Array.from(rows.join(''), Number);
const ODD_DIGIT = table(
  '0123456',
  '1436520',
  '2314605',
  '3645012',
  '4560231',
  '5201364',
  '6052143',
);
const ODD_CARRY = table(
  '0000000',
  '0101050',
  '0023002',
  '0133000',
  '0000446',
  '0500450',
  '0020606',
);
const EVEN_DIGIT = table(
  '0123456',
  '1234560',
  '2345601',
  '3456012',
  '4560123',
  '5601234',
  '6012345',
);
const EVEN_CARRY = table(
  '0000000',
  '0103010',
  '0022006',
  '0323000',
  '0000454',
  '0100550',
  '0060406',
);

/** Open addressing from the words of a cell to its position. */
function positionsOf(words: Uint32Array): (high: number, low: number) => number {
  const count = words.length / 2;
  let capacity = 16;
  while (capacity < 2 * count) capacity *= 2;
  const slots = new Int32Array(capacity).fill(-1);
  const slotOf = (high: number, low: number): number => {
    const mixed = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
    return (mixed ^ (mixed >>> 15)) & (capacity - 1);
  };
  for (let i = 0; i < count; i++) {
    let slot = slotOf(words[2 * i + HIGH] as number, words[2 * i + LOW] as number);
    while ((slots[slot] as number) >= 0) slot = (slot + 1) & (capacity - 1);
    slots[slot] = i;
  }
  return (high, low) => {
    for (let slot = slotOf(high, low); ; slot = (slot + 1) & (capacity - 1)) {
      const i = slots[slot] as number;
      if (i < 0 || (words[2 * i + LOW] === low && words[2 * i + HIGH] === high)) return i;
    }
  };
}

/** Neighbour lists of an ascending vector of cells of one resolution. Linear time. */
export function neighbourLists(cells: BigUint64Array): NeighbourLists {
  const words = wordsOf(cells);
  const positionOf = positionsOf(words);
  const targets = new Int32Array(SIDES * cells.length).fill(-1);
  const degrees = new Uint8Array(cells.length);
  const resolution = cells.length === 0 ? 0 : resolutionOf(cells[0] as bigint);

  const add = (i: number, target: number): void => {
    if (target < 0) return;
    targets[SIDES * i + (degrees[i] as number)] = target;
    degrees[i] = (degrees[i] as number) + 1;
  };
  const addByLibrary = (i: number): void => {
    degrees[i] = 0;
    for (const text of gridDisk(cellToText(cells[i] as bigint), 1)) {
      const target = positionOf(
        Number.parseInt(text.slice(0, -8), 16),
        Number.parseInt(text.slice(-8), 16),
      );
      if (target !== i) add(i, target);
    }
    targets.fill(-1, SIDES * i + (degrees[i] as number), SIDES * (i + 1));
  };

  for (let i = 0; i < cells.length; i++) {
    const cellHigh = words[2 * i + HIGH] as number;
    const cellLow = words[2 * i + LOW] as number;
    if (hasPentagonBase(cellHigh)) {
      addByLibrary(i);
      continue;
    }
    for (let direction = 1; direction <= SIDES; direction++) {
      let high = cellHigh;
      let low = cellLow;
      let step = direction;
      for (let r = resolution; r > 0 && step !== 0; r--) {
        const digit = digitOf(high, low, r);
        const cell = 7 * digit + step;
        const odd = r % 2 === 1;
        const next = (odd ? ODD_DIGIT : EVEN_DIGIT)[cell] as number;
        step = (odd ? ODD_CARRY : EVEN_CARRY)[cell] as number;
        const flip = digit ^ next;
        const shift = 3 * (FINEST_RESOLUTION - r);
        if (shift < 32) low = (low ^ (flip << shift)) >>> 0;
        if (shift >= 32) high = (high ^ (flip << (shift - 32))) >>> 0;
        // The digit of resolution 5 lies across the two words.
        else if (shift === 30) high = (high ^ (flip >>> 2)) >>> 0;
      }
      if (step !== 0) {
        addByLibrary(i);
        break;
      }
      add(i, positionOf(high, low));
    }
  }
  return { targets, degrees };
}
