/**
 * Digest of every layer's document over one small release. A method that gives other bytes for the same request raises its version
 * in `request.ts` and its digest here, in the same change: else a reader could not recompute what was once served under that key.
 */
import { beforeAll, expect, it } from '@jest/globals';
import { sha256Hex, utf8ToBytes } from '#libs/bytes';
import { cellToText, disk, sortedCells } from '#libs/grid';
import { computeLayer, layerRequest, METHODS } from './index.js';
import { bristol, months, Published, publish } from './published.fixture-spec.js';

const cells = sortedCells(disk(bristol, 3));
const texts = Array.from(cells, cellToText);
const store = new Published();
let release: string;
let deprivation: string;
beforeAll(() => {
  const every = (count: (cell: number, t: number) => number) =>
    Object.fromEntries(months(10).map((month, t) => [month, (cell: number) => count(cell, t)]));
  release = publish(store, {
    cells,
    rho: '2',
    seed: 'golden',
    counts: {
      asb: every((cell, t) => (cell === 5 ? 6 * t : cell % 4)),
      robbery: every((cell, t) => (cell === 20 ? 30 : (cell + t) % 3 === 0 ? 1 : 0)),
    },
  });
  deprivation = store.put(
    utf8ToBytes(
      `cell,quintile,people\n${texts.map((cell, i) => `${cell},${(i % 5) + 1},0.5`).join('\n')}\n`,
    ),
  );
});

const parametersOf = (): Record<(typeof METHODS)[number], Record<string, unknown>> => {
  const asb = { category: 'asb', resolution: 9 };
  return {
    // that of robbery has an interval
    concentration: { ...asb, category: 'robbery' },
    hotspots: asb,
    trend: asb,
    emerging: { ...asb, draws: 20 },
    warnings: asb,
    forecast: { ...asb, deprivation, worlds: 2 },
    fairness: { ...asb, deprivation, worlds: 2 },
    evaluation: {
      category: 'asb',
      start: '2023-06',
      treated: [texts[5]],
      control: [texts[6]],
      donors: [[texts[7]], [texts[8]]],
    },
    plan: { rhoPerYear: '24' },
  };
};

it.each([
  ['concentration', 9, '48350abd0ab1fcc8c906b1d8033ce9914d531fa849d4d1647cd67fad8d140873'],
  ['hotspots', 5, 'a3e4dd4a099c2991ed13d7e312ff9597e97c49372aa51fbe11e8435961e1d6e4'],
  ['trend', 2, '42e53363a7e3c1fabce9f7ab685efeafc45327e079ec6d4ec72d3aa0bda939e2'],
  ['emerging', 5, '7202c2c25692b273a4e5cf861701cfb193e5b2df1f3f7e8cf485195a529ca79e'],
  ['warnings', 7, '3b6bc4ed46b1d1b6273186c93e1595f98c5f798f436fe453d8ec175c45f4f5fd'],
  ['forecast', 10, 'e1cf7584aa31e14348730ac9c99af8487961437dd66b6c0d73817fbce377c94f'],
  ['fairness', 7, '464a2d4ff3ad75d90e220b22d7a5229b90ff7c03ab46a1eaa2dc17d290aae7eb'],
  ['evaluation', 4, '6e009824a2463feeebfc5d5928ee2e30874de9c5289c9e16352484b8ec6c47a4'],
  ['plan', 2, '9b7452fca561dc28c3afa0d2559345b474e70883af4c2cd2f376055c36205f18'],
] as const)('%s of version %d', async (method, version, digest) => {
  const request = layerRequest(method, parametersOf()[method], [release]);
  expect(request.methodVersion).toBe(version);
  expect(sha256Hex(await computeLayer(request, store))).toBe(digest);
});

it('is of every method', () => {
  expect(Object.keys(parametersOf()).sort()).toEqual([...METHODS].sort());
});
