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

export const evaluationLayer: LayerMethod<'evaluation'> = {
  description: {
    question: 'Did an intervention work, and could we have seen it?',
    citation:
      'Wheeler and Ratcliffe 2018, Crime Science 7:11; Angrist and Pischke 2009, chapter 5; Abadie, Diamond, Hainmueller 2010, JASA 105; Firpo and Possebom 2018, Journal of Causal Inference 6:2.',
    uncertainty:
      'Standard errors hold the Poisson variance of every count and the exact variance of the noise in the whole difference, covariances of near areas included; p is two-sided, by an Edgeworth series with the longer tails of Poisson counts and the law of the noise, but for the placebo rank of synthetic control. low to high: the effects that the test does not reject at this size, so 0 lies outside where p is at most the size; null where the placebo test has too few donors to reject any, or no steady effect fits. detectableFall: smallest relative fall that the weighted displacement difference of these areas, months and this noise finds with probability 0.8; power: probability that it finds a given fall.',
    listed: 'One row a month: the estimate of each area and the standard deviation of its noise.',
  },
  async compute(parameters: ParametersOf<'evaluation'>, { releases, progress }) {
    const {
      category,
      from,
      to,
      start,
      displacement,
      displacementControl,
      donors = [],
    } = parameters;
    if ((displacement === undefined) !== (displacementControl === undefined)) {
      throw new ConcordatError(
        'bad-parameter',
        'evaluation: displacement and displacementControl are given together or not at all',
      );
    }
    const size = Number(parameters.size);
    const roles = ROLES.filter((role) => parameters[role] !== undefined);
    const named = [
      ...roles.map((role) => [role, parameters[role] ?? []] as const),
      ...donors.map((donor, d) => [`donor${d + 1}`, donor] as const),
    ];
    checkApart(named);
    const areas = await readAreas(
      releases,
      category,
      { from, to },
      named.map(([, cells]) => cells),
      [DISPLACED.slice(0, roles.length), COMPARED],
    );
    await progress(0.7);
    const months = comparableMonths(areas, start);
    const [treated, control, moved, movedControl] = roles.map((_, i) =>
      sidesOf(areas, i, months),
    ) as [Sides, Sides, Sides?, Sides?];
    const [displaced, compared] = areas.contrastVariances;
    const noise = sum(displaced, [...months.before, ...months.after]);
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
    const largest = Math.max(0, ...(compared ?? []).filter((v) => !Number.isNaN(v)));
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
    const names = named.map(([name]) => name);
    return {
      limitations: [
        RECORDED,
        MISSING,
        'What happened to the treated area alone at the same time is counted as the intervention.',
        'Incidents of one place are taken as independent: repeat victimisation makes standard errors too small.',
      ],
      summary: {
        monthsBefore: months.before.map((t) => areas.months[t] as string),
        monthsAfter: months.after.map((t) => areas.months[t] as string),
        weightedDisplacement: {
          change: decimalText(wdd.wdd),
          low: decimalText(wdd.low),
          high: decimalText(wdd.high),
          standardError: decimalText(wdd.se),
          z: decimalText(wdd.z),
          p: decimalText(wdd.p),
          isSignificant: wdd.p <= size,
        },
        differenceInDifferences: {
          effectPerMonth: decimalText(did.effect),
          low: decimalText(did.low),
          high: decimalText(did.high),
          standardError: decimalText(did.se),
          z: decimalText(did.z),
          p: decimalText(did.p),
        },
        detectableFall: fall === undefined ? null : decimalText(fall),
        power: FALLS.map((relative) => ({
          fall: relative,
          found: decimalText(power({ ...asked, change: -Number(relative) })),
        })),
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
