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
    concentration: { ...asb, draws: 50 },
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
  ['concentration', 6, 'c7742162e11fd0ae318632085bad2cf015e5e1a6a1db13fa0ba148b6686b610e'],
  ['hotspots', 4, 'e23413e26c8da8df3cbd33df17ea48da6e9bc4954bfb711d6db1130492e3818d'],
  ['trend', 2, '42e53363a7e3c1fabce9f7ab685efeafc45327e079ec6d4ec72d3aa0bda939e2'],
  ['emerging', 3, '111f4a0a0dedc2c0ddfcc77af8ef4b20a9a99a1c1acd7825cc37693ebb200d96'],
  ['warnings', 6, '1f00c07116c4d35b4ecf18216d09412bf0ac53357d56fe443d1c5fcf5b24dec9'],
  ['forecast', 7, 'dd3270860d09425aa2d58d6d3b225cc383ed4917e006bb5f8e122e749007fdd3'],
  ['fairness', 5, '28af12f8d4c29e995cd8def8fe8e6c9e4101be025ba247cf6224465ef3555874'],
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
