/**
 * Scan statistics: which zone of which size is the least likely? Kulldorff 1997 (Communications in Statistics 26,
 * 1481-1496) for the conditional Poisson model, Neill et al. 2005 for the expectation-based one.
 *
 * What the noise does: a noisy count of a zone has variance expected + V. Shifting count and expectation by V gives a
 * Poisson law of that mean and variance, so the ratio with V is the ratio of the shifted values; with V = 0 it is the
 * published one. Its null law is found by drawing Poisson counts *and the same noise*, so the p-value is exact whatever V.
 */
import { ConcordatError } from '#libs/bytes';
import type { NoiseSampler, RandomSource } from '#libs/dp';
import type { NeighbourLists } from '#libs/grid';
import { poissonDraws, uniforms } from '../laws/random-variates.js';

/** Zones as rows of positions: zone z covers members[offsets[z] .. offsets[z + 1] - 1]. */
export interface Zones {
  readonly offsets: Int32Array;
  readonly members: Int32Array;
}

export type ScanModel = 'expectation' | 'conditional';

/** Log likelihood ratio of one zone; 0 unless the zone is above expectation. */
export function expectationRatio(count: number, expected: number, variance: number): number {
  const c = count + variance;
  const e = expected + variance;
  return c > e && e > 0 ? c * Math.log(c / e) - (c - e) : 0;
}

/**
 * Kulldorff's ratio, conditional on the total (SaTScan's Poisson model): c ln(c/e) + (C - c) ln((C - c)/(C - e)), where the
 * expectations of all places sum to the total C. `variance` is that of the zone, `restVariance` that of all other places.
 */
export function conditionalRatio(
  count: number,
  expected: number,
  total: number,
  variance: number,
  restVariance: number,
): number {
  const c = count + variance;
  const e = expected + variance;
  const restCount = total - count + restVariance;
  const restExpected = total - expected + restVariance;
  if (!(c > e && e > 0 && restExpected > 0)) return 0;
  const rest = restCount > 0 ? restCount * Math.log(restCount / restExpected) : 0;
  return c * Math.log(c / e) + rest;
}

/** Discs of 0..rings steps around every cell, clipped to the domain. */
export function discZones(neighbours: NeighbourLists, rings: number): Zones {
  const cells = neighbours.degrees.length;
  const offsets: number[] = [0];
  const members: number[] = [];
  const reached = new Int32Array(cells).fill(-1);
  for (let centre = 0; centre < cells; centre++) {
    const disc = [centre];
    reached[centre] = centre;
    let fringe = 0;
    for (let ring = 0; ring <= rings; ring++) {
      for (const member of disc) members.push(member);
      offsets.push(members.length);
      if (ring === rings) break;
      const end = disc.length;
      for (; fringe < end; fringe++) {
        const cell = disc[fringe] as number;
        for (let side = 0; side < (neighbours.degrees[cell] as number); side++) {
          const next = neighbours.targets[6 * cell + side] as number;
          if (reached[next] !== centre) {
            reached[next] = centre;
            disc.push(next);
          }
        }
      }
    }
  }
  return { offsets: Int32Array.from(offsets), members: Int32Array.from(members) };
}

export interface ScanInput {
  /** Noisy counts of places (or place-periods); NaN is missing and left out of every zone. */
  readonly counts: Float64Array;
  /** Expected counts, above 0. */
  readonly expected: Float64Array;
  readonly zones: Zones;
  readonly model: ScanModel;
  /** Known variance of the noise in one count. */
  readonly noiseVariance: number;
}

export interface ScanResult {
  /** Log likelihood ratio of every zone. */
  readonly llr: Float64Array;
  /** Zone with the largest ratio, the first of equals; -1 when no zone is above expectation. */
  readonly best: number;
}

/** Throws `invalid-scan` when lengths differ or an expectation is not above 0. */
export function scan({ counts, expected, zones, model, noiseVariance }: ScanInput): ScanResult {
  if (counts.length !== expected.length || !expected.every((value) => value > 0)) {
    throw new ConcordatError(
      'invalid-scan',
      'every place has one count and an expectation above 0',
    );
  }
  let total = 0;
  let expectedTotal = 0;
  let present = 0;
  counts.forEach((count, i) => {
    if (Number.isNaN(count)) return;
    total += count;
    expectedTotal += expected[i] as number;
    present++;
  });
  const scale = model === 'conditional' ? total / expectedTotal : 1;
  const llr = new Float64Array(zones.offsets.length - 1);
  let best = -1;
  for (let zone = 0; zone < llr.length; zone++) {
    let count = 0;
    let expectation = 0;
    let places = 0;
    for (let at = zones.offsets[zone] as number; at < (zones.offsets[zone + 1] as number); at++) {
      const place = zones.members[at] as number;
      const value = counts[place] as number;
      if (Number.isNaN(value)) continue;
      count += value;
      expectation += scale * (expected[place] as number);
      places++;
    }
    const variance = places * noiseVariance;
    llr[zone] =
      model === 'expectation'
        ? expectationRatio(count, expectation, variance)
        : conditionalRatio(count, expectation, total, variance, (present - places) * noiseVariance);
    if ((llr[zone] as number) > (best < 0 ? 0 : (llr[best] as number))) best = zone;
  }
  return { llr, best };
}

/** Means of the null worlds: the expectations, in the conditional model scaled to the observed total. */
function nullMeans({ counts, expected, model }: ScanInput): Float64Array {
  if (model === 'expectation') return expected;
  let total = 0;
  let expectedTotal = 0;
  counts.forEach((count, i) => {
    if (Number.isNaN(count)) return;
    total += count;
    expectedTotal += expected[i] as number;
  });
  return expected.map((value) => (value * Math.max(0, total)) / expectedTotal);
}

/**
 * p-value of the largest ratio: its rank among those of `draws` null worlds with the same expectations and the same noise, the observed
 * world counted among them (Dwass 1957). Worlds that equal it are ranked by lot: counts are whole, so ties are common in small areas,
 * and counting them all would reject too seldom. Smallest value 1 / (draws + 1); 1 where no zone is above expectation.
 */
export function scanP(
  input: ScanInput,
  { sampler, random, draws }: { sampler?: NoiseSampler; random: RandomSource; draws: number },
): number {
  if (!Number.isInteger(draws) || draws < 1) {
    throw new ConcordatError('invalid-draws', 'the number of null draws is a whole number from 1');
  }
  const largest = ({ llr, best }: ScanResult): number => (best < 0 ? 0 : (llr[best] as number));
  const observed = largest(scan(input));
  if (observed === 0) return 1;
  const noise = new Int32Array(input.counts.length);
  const means = nullMeans(input);
  let above = 0;
  let equal = 0;
  for (let draw = 0; draw < draws; draw++) {
    const counts = poissonDraws(means, random);
    if (sampler) sampler.sampleInto(noise, random);
    for (let i = 0; i < counts.length; i++) {
      const missing = Number.isNaN(input.counts[i] as number);
      counts[i] = missing ? Number.NaN : (counts[i] as number) + (noise[i] as number);
    }
    const ratio = largest(scan({ ...input, counts }));
    if (ratio > observed) above++;
    else if (ratio === observed) equal++;
  }
  const lot = equal > 0 ? Math.floor(uniforms(random)() * (equal + 1)) : 0;
  return (1 + above + lot) / (draws + 1);
}
