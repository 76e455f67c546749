/**
 * `npm run bench -- emerging`: do emerging classes stay what they are when the noise is drawn again? Classes of one noisy release that are
 * shown (probability from 0.8 on) are compared with those of fifty fresh releases of the same true counts. One line per force,
 * category and epsilon. The shipped year of Avon and Somerset and City of London, three categories, by default; others as
 * `incident-counters.ts` says.
 */
import { emerging, emergingClasses, LEAST_SHOWN } from '#libs/analytics';
import { analysisRandom } from '../../apps/cli/src/analyse/random.js';
import { askedIncidents } from './incident-counters.js';
import type { Emit } from './line.js';

const CATEGORIES = ['all', 'Anti-social behaviour', 'Violence and sexual offences'];
/** Worlds that classes and probabilities come from, as many as a layer draws. */
const WORLDS = 50;
const FRESH_RELEASES = 50;
const MONTHS = 12;

const percent = (part: number, whole: number): number => Number(((100 * part) / whole).toFixed(2));

export async function run(emit: Emit): Promise<void> {
  for await (const asked of askedIncidents({ categories: CATEGORIES })) {
    const { name, label, epsilon, sampler, neighbours, months, release } = asked;
    const cells = neighbours.degrees.length;
    const truth = months.filter((month) => month !== undefined).slice(-MONTHS);
    const random = analysisRandom(`emerging ${label} ${epsilon}`);
    const first = emerging(release(truth, random), neighbours, { sampler, random, draws: WORLDS });
    const shown = Array.from({ length: cells }, (_, i) => i).filter(
      (i) => (first.probability[i] as number) >= LEAST_SHOWN,
    );
    const patterned = shown.filter((i) => first.classes[i] !== 0);
    let kept = 0;
    let keptPattern = 0;
    for (let draw = 0; draw < FRESH_RELEASES; draw++) {
      const classes = emergingClasses(release(truth, random).periods, neighbours);
      for (const i of shown) if (classes[i] === first.classes[i]) kept++;
      for (const i of patterned) if (classes[i] === first.classes[i]) keptPattern++;
    }
    emit({
      name: `${name}, shown classes kept over ${FRESH_RELEASES} draws`,
      figure: percent(kept, FRESH_RELEASES * shown.length),
      unit: '%',
      peer: `${shown.length} of ${cells} cells shown`,
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
