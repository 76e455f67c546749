/**
 * `npm run bench -- emerging`: do emerging classes stay what they are when the noise is drawn again? Classes of one noisy release that are
 * shown (probability from 0.8 on) are compared with those of fifty fresh releases of the same true counts. One line per force,
 * category and epsilon. The shipped year of Avon and Somerset and City of London by default; other police.uk files through
 * CONCORDAT_BENCH_INCIDENTS, with CONCORDAT_BENCH_CATEGORIES (labels, separated by commas) and CONCORDAT_BENCH_EPSILONS.
 */
import process from 'node:process';
import { emerging, emergingClasses, LEAST_SHOWN, noiseVariance } from '#libs/analytics';
import { neighbourLists } from '#libs/grid';
import { areaCells } from '../../apps/cli/src/analyse/area-cells.js';
import { noiseSampler } from '../../apps/cli/src/analyse/noise.js';
import { analysisRandom } from '../../apps/cli/src/analyse/random.js';
import { countersOf, RESOLUTION, SHIPPED } from './incident-counters.js';
import type { Emit } from './line.js';

const {
  CONCORDAT_BENCH_INCIDENTS: PATTERNS = SHIPPED,
  CONCORDAT_BENCH_EPSILONS: EPSILONS = '0.1,0.5,1,2',
  CONCORDAT_BENCH_CATEGORIES: CATEGORIES = 'all,Anti-social behaviour,Violence and sexual offences',
} = process.env;
/** Worlds that classes and probabilities come from, as many as a layer draws. */
const WORLDS = 50;
const FRESH_RELEASES = 50;
const MONTHS = 12;

const percent = (part: number, whole: number): number => Number(((100 * part) / whole).toFixed(2));

export async function run(emit: Emit): Promise<void> {
  for (const pattern of PATTERNS.split(',')) {
    const counters = await countersOf(pattern);
    const forces = counters.get('all')?.forces ?? new Set<string>();
    const cells = areaCells(undefined, forces, RESOLUTION);
    const neighbours = neighbourLists(cells);
    for (const label of CATEGORIES.split(',')) {
      const counter = counters.get(label);
      if (!counter) continue;
      const truth = counter
        .vectors(cells)
        .selected.flatMap((month) => (month ? [month] : []))
        .slice(-MONTHS);
      for (const epsilon of EPSILONS.split(',').map(Number)) {
        const law = { mechanism: 'discrete-laplace', epsilon } as const;
        const sampler = noiseSampler(law);
        const random = analysisRandom(`emerging ${label} ${epsilon}`);
        const noise = new Int32Array(cells.length);
        const release = () =>
          truth.map((month) => {
            sampler.sampleInto(noise, random);
            return Float64Array.from(month, (count, i) => count + (noise[i] as number));
          });
        const first = emerging(
          { periods: release(), noiseVariance: noiseVariance(law), law, periodsPerYear: 12 },
          neighbours,
          { sampler, random, draws: WORLDS },
        );
        const shown = [...cells.keys()].filter(
          (i) => (first.probability[i] as number) >= LEAST_SHOWN,
        );
        const patterned = shown.filter((i) => first.classes[i] !== 0);
        let kept = 0;
        let keptPattern = 0;
        for (let draw = 0; draw < FRESH_RELEASES; draw++) {
          const classes = emergingClasses(release(), neighbours);
          for (const i of shown) if (classes[i] === first.classes[i]) kept++;
          for (const i of patterned) if (classes[i] === first.classes[i]) keptPattern++;
        }
        const name = `${[...forces].join(', ')}: ${label} at epsilon ${epsilon}`;
        emit({
          name: `${name}, shown classes kept over ${FRESH_RELEASES} draws`,
          figure: percent(kept, FRESH_RELEASES * shown.length),
          unit: '%',
          peer: `${shown.length} of ${cells.length} cells shown`,
        });
        if (patterned.length === 0) continue;
        const claimed = patterned.reduce((sum, i) => sum + (first.probability[i] as number), 0);
        emit({
          name: `${name}, shown hot and cold classes kept`,
          figure: percent(keptPattern, FRESH_RELEASES * patterned.length),
          unit: '%',
          peer: `claimed ${percent(claimed, patterned.length)} % in ${patterned.length} cells`,
        });
      }
    }
  }
}
