import {
  type AreaSeries,
  detectableFall,
  differenceInDifferences,
  type NoiseLaw,
  placeboTest,
  power,
  weightedDisplacement,
} from '#libs/analytics';
import { ConcordatError, type Json } from '#libs/bytes';
import { cellFromText, overlap } from '#libs/grid';
import { type AreaCounts, readAreas } from '../area-counts.js';
import { decimalText } from '../decimal.js';
import type { LayerMethod } from '../method.js';
import type { ParametersOf } from '../request.js';
import { MISSING, RECORDED } from '../series-summary.js';

/** Names of the areas in the order they are read; donors follow. */
const ROLES = ['treated', 'control', 'displacement', 'displacementControl'] as const;

/** Signs of the areas in the weighted displacement difference, and in the difference of the first two alone. */
const DISPLACED = [1, -1, 1, -1] as const;
const COMPARED = [1, -1] as const;
/** Relative falls of which the power is told. */
const FALLS = ['0.1', '0.2', '0.3', '0.5'] as const;

interface Sides {
  readonly before: number;
  readonly after: number;
}

/** Law of the noise in a sum of estimates: discrete Gaussians add up to one, but for less than any double tells (Kairouz et al. 2021). */
const gaussian = (sigma2: number): NoiseLaw =>
  sigma2 > 0 ? { mechanism: 'discrete-gaussian', sigma2 } : { mechanism: 'none' };

/** Months that every area has, split at the start; the same number on both sides, those next to it. */
function comparableMonths({ months, counts }: AreaCounts, start: string) {
  const present = months.flatMap((_, t) =>
    counts.every((series) => !Number.isNaN(series[t] as number)) ? [t] : [],
  );
  const before = present.filter((t) => (months[t] as string) < start);
  const after = present.filter((t) => (months[t] as string) >= start);
  const length = Math.min(before.length, after.length);
  if (length === 0) {
    throw new ConcordatError(
      'too-few-periods',
      'an evaluation needs a month before the start and one from the start on, counted in every area',
    );
  }
  return { before: before.slice(-length), after: after.slice(0, length), present };
}

/**
 * Refuses areas that share a place: what happens there would count for both sides. A donor may be a comparison area too. Throws
 * `overlapping-areas`.
 */
function checkApart(areas: readonly (readonly [name: string, cells: readonly string[]])[]): void {
  const known = areas.map(([name, cells]) => [name, cells.map(cellFromText)] as const);
  const mayShare = (one: string, other: string): boolean =>
    one.toLowerCase().endsWith('control') && other.startsWith('donor');
  known.forEach(([name, cells], i) => {
    for (const [other, others] of known.slice(i + 1)) {
      if (!mayShare(name, other) && overlap(cells, others)) {
        throw new ConcordatError(
          'overlapping-areas',
          `${name} and ${other} share a cell: name areas that do not overlap`,
        );
      }
    }
  });
}

const sum = (values: Float64Array | undefined, at: readonly number[]): number =>
  at.reduce((total, t) => total + (values?.[t] ?? 0), 0);

function sidesOf(
  { counts }: AreaCounts,
  area: number,
  { before, after }: { readonly before: readonly number[]; readonly after: readonly number[] },
): Sides {
  return {
    before: sum(counts[area], before),
    after: sum(counts[area], after),
  };
}

/** Synthetic control over the months that every area has. */
function placebo(
  areas: AreaCounts,
  present: readonly number[],
  start: string,
  roles: number,
  size: number,
): Json {
  const pick = (area: number): Float64Array =>
    Float64Array.from(present, (t) => areas.counts[area]?.[t] ?? Number.NaN);
  const donors = areas.counts.slice(roles).map((_, d) => pick(roles + d));
  const first = present.findIndex((t) => (areas.months[t] as string) >= start);
  const { effect, ratio, p, weights, low, high } = placeboTest(pick(0), donors, first, size);
  return {
    effect: decimalText(effect),
    low: decimalText(low),
    high: decimalText(high),
    ratio: decimalText(ratio),
    p: decimalText(p),
    weights: [...weights].map(decimalText),
  };
}

type Parameters = ParametersOf<'evaluation'>;

/** The areas that are named, by role; donors are `donor1` and so on. Throws `bad-parameter`, `overlapping-areas`. */
function namedAreas(parameters: Parameters) {
  const { displacement, displacementControl, donors = [] } = parameters;
  if ((displacement === undefined) !== (displacementControl === undefined)) {
    throw new ConcordatError(
      'bad-parameter',
      'evaluation: displacement and displacementControl are given together or not at all',
    );
  }
  const roles = ROLES.filter((role) => parameters[role] !== undefined);
  const named = [
    ...roles.map((role) => [role, parameters[role] ?? []] as const),
    ...donors.map((donor, d) => [`donor${d + 1}`, donor] as const),
  ];
  checkApart(named);
  return { roles, named };
}

type Compared = ReturnType<typeof comparableMonths>;

/** Weighted displacement difference, and the power that the same areas, months and noise give it. */
function displacementOf(areas: AreaCounts, roles: number, months: Compared, size: number) {
  const [treated, control, moved, movedControl] = Array.from({ length: roles }, (_, area) =>
    sidesOf(areas, area, months),
  ) as [Sides, Sides, Sides?, Sides?];
  const noise = sum(areas.contrastVariances[0], [...months.before, ...months.after]);
  const wdd = weightedDisplacement(
    {
      treatedBefore: treated.before,
      treatedAfter: treated.after,
      controlBefore: control.before,
      controlAfter: control.after,
      displacementBefore: moved?.before ?? 0,
      displacementAfter: moved?.after ?? 0,
      displacementControlBefore: movedControl?.before ?? 0,
      displacementControlAfter: movedControl?.after ?? 0,
    },
    { law: gaussian(noise), terms: 1 },
    size,
  );
  const elsewhere = [moved, movedControl].reduce(
    (total, sides) => total + Math.max(0, (sides?.before ?? 0) + (sides?.after ?? 0)),
    0,
  );
  const asked = {
    treated: Math.max(0, treated.before),
    control: Math.max(0, control.before),
    noiseVariance: noise + elsewhere,
    size,
  };
  const fall = detectableFall(asked);
  return {
    weightedDisplacement: {
      change: decimalText(wdd.wdd),
      ...intervalAndTest(wdd),
      isSignificant: wdd.p <= size,
    },
    detectableFall: fall === undefined ? null : decimalText(fall),
    power: FALLS.map((relative) => ({
      fall: relative,
      found: decimalText(power({ ...asked, change: -Number(relative) })),
    })),
  };
}

/** Difference in differences of the treated area and its control, month by month. */
function differencesOf(areas: AreaCounts, start: string, size: number): Json {
  const compared = areas.contrastVariances[1] ?? [];
  const largest = Math.max(0, ...compared.filter((variance) => !Number.isNaN(variance)));
  const areaSeries = (area: number, noiseVariance: number): AreaSeries => ({
    counts: areas.counts[area] as Float64Array,
    noiseVariance,
    law: gaussian(noiseVariance),
  });
  // The noise of both areas together stands with the first: what counts is that of their difference.
  const did = differenceInDifferences(
    areaSeries(0, largest),
    areaSeries(1, 0),
    areas.months.findIndex((month) => month >= start),
    size,
  );
  return { effectPerMonth: decimalText(did.effect), ...intervalAndTest(did) };
}

type Tested = Record<'low' | 'high' | 'se' | 'z' | 'p', number>;

const intervalAndTest = ({ low, high, se, z, p }: Tested) => ({
  low: decimalText(low),
  high: decimalText(high),
  standardError: decimalText(se),
  z: decimalText(z),
  p: decimalText(p),
});

export const evaluationLayer: LayerMethod<'evaluation'> = {
  description: {
    question: 'Did an intervention work, and could we have seen it?',
    citation:
      'Wheeler and Ratcliffe 2018, Crime Science 7:11; Angrist and Pischke 2009, chapter 5; Abadie, Diamond, Hainmueller 2010, JASA 105; Firpo and Possebom 2018, Journal of Causal Inference 6:2.',
    uncertainty:
      'Standard errors hold the Poisson variance of every count and the exact variance of the noise in the whole difference, covariances of near areas included; p is two-sided, by an Edgeworth series with the longer tails of Poisson counts and the law of the noise, but for the placebo rank of synthetic control. low to high: the effects that the test does not reject at this size, so 0 lies outside where p is at most the size; null where the placebo test has too few donors to reject any, or no steady effect fits. detectableFall: smallest relative fall that the weighted displacement difference of these areas, months and this noise finds with probability 0.8; power: probability that it finds a given fall.',
    listed: 'One row a month: the estimate of each area and the standard deviation of its noise.',
  },
  async compute(parameters: Parameters, { releases, progress }) {
    const { category, from, to, start, donors = [] } = parameters;
    const size = Number(parameters.size);
    const { roles, named } = namedAreas(parameters);
    const areas = await readAreas(
      releases,
      category,
      { from, to },
      named.map(([, cells]) => cells),
      [DISPLACED.slice(0, roles.length), COMPARED],
    );
    await progress(0.7);
    const months = comparableMonths(areas, start);
    const monthsAt = (at: readonly number[]) => at.map((t) => areas.months[t] as string);
    const names = named.map(([name]) => name);
    return {
      limitations: [
        RECORDED,
        MISSING,
        'What happened to the treated area alone at the same time is counted as the intervention.',
        'Incidents of one place are taken as independent: repeat victimisation makes standard errors too small.',
      ],
      summary: {
        monthsBefore: monthsAt(months.before),
        monthsAfter: monthsAt(months.after),
        ...displacementOf(areas, roles.length, months, size),
        differenceInDifferences: differencesOf(areas, start, size),
        syntheticControl:
          donors.length === 0 ? null : placebo(areas, months.present, start, roles.length, size),
      },
      columns: ['month', ...names.flatMap((name) => [name, `${name}NoiseSd`])],
      rows: areas.months.map((month, t) => [
        month,
        ...names.flatMap((_, area) => [
          decimalText(areas.counts[area]?.[t] ?? Number.NaN),
          decimalText(Math.sqrt(areas.variances[area]?.[t] ?? Number.NaN)),
        ]),
      ]),
    };
  },
};
