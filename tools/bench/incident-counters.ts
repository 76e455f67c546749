/**
 * Incident files as benches ask about them: every set of files, category and epsilon in turn. CONCORDAT_BENCH_INCIDENTS: patterns of police.uk files
 * (or CSV with date, longitude, latitude), one set of files each; CONCORDAT_BENCH_AREA: the area of all sets, a GeoJSON file or the name of a
 * force, where the files do not name one; CONCORDAT_BENCH_CATEGORIES: labels of the files, or `all`; CONCORDAT_BENCH_EPSILONS. All but the area are
 * separated by commas.
 */
import process from 'node:process';
import { type NoiseLaw, noiseVariance, type Release } from '#libs/analytics';
import { ConcordatError } from '#libs/bytes';
import type { NoiseSampler, RandomSource } from '#libs/dp';
import { type NeighbourLists, neighbourLists } from '#libs/grid';
import { areaCells } from '../../apps/cli/src/analyse/area-cells.js';
import { categorySelection, IncidentCounter } from '../../apps/cli/src/analyse/incident-counts.js';
import { readIncidents } from '../../apps/cli/src/analyse/incident-files.js';
import { noiseSampler } from '../../apps/cli/src/analyse/noise.js';

/** The shipped year of two forces. */
const SHIPPED =
  'samples/agencies/avon-and-somerset-police/*.csv.gz,samples/agencies/city-of-london-police/*.csv.gz';
const RESOLUTION = 9;
const MONTHS_PER_YEAR = 12;
const EVERYTHING = 'all';

const {
  CONCORDAT_BENCH_INCIDENTS: PATTERNS = SHIPPED,
  CONCORDAT_BENCH_AREA: AREA,
  CONCORDAT_BENCH_CATEGORIES: CATEGORIES,
  CONCORDAT_BENCH_EPSILONS: EPSILONS,
} = process.env;

/** True counts of a month over the cells; undefined where the files have no incident of it. */
export type Month = Int32Array | undefined;

export interface AskedIncidents {
  /** Forces, category and epsilon, for the name of a figure. */
  readonly name: string;
  readonly label: string;
  readonly epsilon: number;
  readonly law: NoiseLaw;
  readonly sampler: NoiseSampler;
  readonly neighbours: NeighbourLists;
  readonly months: readonly Month[];
  /** All incidents of the same months; undefined where the category is all of them. */
  readonly allMonths: readonly Month[] | undefined;
  /** The months with fresh noise. */
  readonly release: (
    months: readonly (ArrayLike<number> | undefined)[],
    random: RandomSource,
  ) => Release & { readonly law: NoiseLaw };
}

/** One counter for all incidents and one for each category, or for the only category. */
async function countersOf(pattern: string): Promise<Map<string, IncidentCounter>> {
  const labels = new Set<string>();
  await readIncidents([pattern], ({ row }) => labels.add(row['Crime type'] ?? ''));
  const [only] = labels;
  const names = labels.size > 1 ? [EVERYTHING, ...[...labels].sort()] : [only || EVERYTHING];
  const counters = new Map(
    names.map((label) => {
      const selection = categorySelection(label);
      return [label, new IncidentCounter(RESOLUTION, selection ? [selection] : [])];
    }),
  );
  await readIncidents([pattern], (incident) => {
    for (const counter of counters.values()) counter.add(incident);
  });
  return counters;
}

/** Every question to the incident files: of these categories (all where left out) and epsilons where the environment names none. */
export async function* askedIncidents({
  categories,
  epsilons = [0.1, 0.5, 1, 2],
}: {
  categories?: readonly string[];
  epsilons?: readonly number[];
} = {}): AsyncGenerator<AskedIncidents> {
  const wanted = CATEGORIES?.split(',') ?? categories;
  for (const pattern of PATTERNS.split(',')) {
    const counters = await countersOf(pattern);
    const forces = new Set([...counters.values()].flatMap((counter) => [...counter.forces]));
    const cells = areaCells(AREA, forces, RESOLUTION);
    const neighbours = neighbourLists(cells);
    const isWanted = (label: string): boolean =>
      !wanted || wanted.includes(label) || (counters.size === 1 && wanted.includes(EVERYTHING));
    const chosen = [...counters].filter(([label]) => isWanted(label));
    if (chosen.length === 0) {
      throw new ConcordatError(
        'unknown-category',
        `${pattern} has none of these categories, but: ${[...counters.keys()].join(', ')}`,
      );
    }
    for (const [label, counter] of chosen) {
      const { selected, all } = counter.vectors(cells);
      for (const epsilon of EPSILONS?.split(',').map(Number) ?? epsilons) {
        const law = { mechanism: 'discrete-laplace', epsilon } as const;
        const sampler = noiseSampler(law);
        const noise = new Int32Array(cells.length);
        const noisy = (
          month: ArrayLike<number> | undefined,
          random: RandomSource,
        ): Float64Array => {
          if (!month) return new Float64Array(cells.length).fill(Number.NaN);
          sampler.sampleInto(noise, random);
          return Float64Array.from(month, (count, i) => count + (noise[i] as number));
        };
        yield {
          name: `${forces.size > 0 ? [...forces].join(', ') : pattern}: ${label} at epsilon ${epsilon}`,
          label,
          epsilon,
          law,
          sampler,
          neighbours,
          months: selected,
          allMonths: counter.selected === counter.incidents ? undefined : all,
          release: (months, random) => ({
            periods: months.map((month) => noisy(month, random)),
            noiseVariance: noiseVariance(law),
            law,
            periodsPerYear: MONTHS_PER_YEAR,
          }),
        };
      }
    }
  }
}
