/** Layers over a sealed release: nobody saw the answer of one agency, and every figure is the one of an open round. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { fromUtf8 } from '#libs/bytes';
import { cellAt, cellToText, disk, domainFromCells } from '#libs/grid';
import { computeLayer, layerRequest, parseResult } from '#libs/layers';
import { monthsOf } from '#libs/query';
import { Federation, streetFile } from '#libs/testing';

/** So much budget that there is no noise, but for a chance below e^-20000: both rounds then hold the same counts. */
const NO_NOISE = '1000000';
const centres = [cellAt(51.4545, -2.5879, 9), cellAt(51.5155, -0.0922, 9), cellAt(53.8, -1.55, 9)];
const months = monthsOf('2023-01/2023-08');
const rowsOf = (centre: bigint, agency: number) =>
  months.flatMap((month, t) =>
    [...disk(centre, 2)].flatMap((cell, i) =>
      Array.from({ length: cell === centre ? 3 + agency + 2 * t : (i + t) % 3 }, () => ({
        month,
        type: 'Robbery',
        cell,
      })),
    ),
  );

let federation: Federation;
let open: string;
let sealed: string;
beforeAll(async () => {
  federation = await Federation.open({
    agencies: centres.map((centre, i) => ({
      id: ['alpha-police', 'beta-police', 'gamma-police'][i] as string,
      domain: domainFromCells(`test/${i}`, disk(centre, 3)),
      files: { 'street.csv': streetFile(rowsOf(centre, i)) },
    })),
    limits: { rhoPerQuery: NO_NOISE, rhoPerYear: '20000000' },
  });
  const question = { categories: ['robbery'], periods: months, rho: NO_NOISE } as const;
  open = String((await federation.ask(question)).round.release);
  sealed = String((await federation.ask({ ...question, sealed: true })).round.release);
});
afterAll(() => federation?.close());

const documentOf = async (method: string, release: string) => {
  const request = layerRequest(method, { category: 'robbery', resolution: 9 }, [release]);
  const bytes = await computeLayer(request, { get: (hash) => federation.blob(hash) });
  return { ...parseResult(bytes), text: fromUtf8(bytes) };
};

it.each(['hotspots', 'trend', 'warnings'])('%s has the same figures', async (method) => {
  const [a, b] = [await documentOf(method, open), await documentOf(method, sealed)];
  expect(b.releases).toEqual([sealed]);
  // Key and release are the only differences.
  expect(b.text.replaceAll(sealed, open).replaceAll(b.key, a.key)).toBe(a.text);
});

it('finds the middle of every area hot, from sums alone', async () => {
  const { rows } = await documentOf('hotspots', sealed);
  const hot = rows.filter((row) => row[1] === 1).map(([cell]) => cell);
  for (const centre of centres) expect(hot).toContain(cellToText(centre));
});
