/** Reliability of claimed probabilities of being in the top: in each of five bands, what was claimed and what was found. */
const BANDS = 5;

export interface Band {
  readonly cells: number;
  /** Means over the cells of the band. */
  readonly claimed: number;
  readonly found: number;
}

/** Per cell 1 where its value is among the k highest, 0 where not; equal values at the limit share the places left. */
export function membership(values: Float64Array, k: number): Float64Array {
  const limit = values.slice().sort()[values.length - k] as number;
  let above = 0;
  let tied = 0;
  for (const value of values) {
    if (value > limit) above++;
    else if (value === limit) tied++;
  }
  const share = (k - above) / tied;
  return values.map((value) => (value > limit ? 1 : value === limit ? share : 0));
}

/** Bands of claims from [0, 0.2) to [0.8, 1] that hold a cell, from the lowest. */
export function reliability(claims: Float64Array, found: Float64Array): Band[] {
  const bands = Array.from({ length: BANDS }, () => ({ cells: 0, claimed: 0, found: 0 }));
  claims.forEach((claim, i) => {
    const band = bands[Math.min(BANDS - 1, Math.floor(claim * BANDS))] as (typeof bands)[number];
    band.cells++;
    band.claimed += claim;
    band.found += found[i] as number;
  });
  return bands
    .filter(({ cells }) => cells > 0)
    .map((band) => ({
      cells: band.cells,
      claimed: band.claimed / band.cells,
      found: band.found / band.cells,
    }));
}
