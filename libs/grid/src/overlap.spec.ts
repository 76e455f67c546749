import { describe, expect, it } from '@jest/globals';
import { disk } from './area.js';
import { cellAt, parentOf } from './cell.js';
import { overlap } from './overlap.js';

const bristol = cellAt(51.4545, -2.5879, 9);
const [neighbour = 0n] = disk(bristol, 1).filter((cell) => cell !== bristol);

describe('overlap', () => {
  it.each([
    ['the same cell', [bristol], [neighbour, bristol], true],
    ['a cell above', [bristol], [parentOf(bristol, 7)], true],
    ['a cell far above', [bristol], [parentOf(bristol, 4)], true],
    ['neighbours', [bristol], [neighbour], false],
    ['nothing', [bristol], [], false],
  ])('%s', (_, a, b, wanted) => {
    expect([overlap(a, b), overlap(b, a)]).toEqual([wanted, wanted]);
  });
});
