import { EMERGING_CLASSES, emerging } from '#libs/analytics';
import { discreteGaussian, type NoiseSampler, rationalFromNumber } from '#libs/dp';
import { type CellSeries, cellsByLaw, readSeries } from '../cell-series.js';
import { decimalText } from '../decimal.js';
import { keyedRandom } from '../keyed-random.js';
import type { LayerMethod } from '../method.js';
import {
  asRelease,
  cellText,
  MISSING,
  ONE_LAW,
  positionsWhere,
  RECORDED,
  seriesSummary,
} from '../series-summary.js';

/** Draws fresh noise of every cell, each under its own law. */
function cellNoise(series: CellSeries): NoiseSampler {
  const laws = [...cellsByLaw(series)].map(([law, members]) => ({
    sampler: discreteGaussian({ sigma2: rationalFromNumber(law) }),
    members,
  }));
  return {
    sampleInto(out, random) {
      for (const { sampler, members } of laws) {
        const drawn = new Int32Array(members.length);
        sampler.sampleInto(drawn, random);
        for (let k = 0; k < members.length; k++) out[members[k] as number] = drawn[k] as number;
      }
    },
  };
}

export const emergingLayer: LayerMethod<'emerging'> = {
  description: {
    question: 'What is new, growing or fading?',
    citation:
      'Emerging Hot Spot Analysis (Esri, ArcGIS Pro tool reference) on G_i* of Ord and Getis 1995 and Mann 1945; probabilities by posterior predictive draws (Rubin 1984, Annals of Statistics 12).',
    uncertainty:
      'class: the most probable one. probability: how likely another release of the same incidents gives the same class, from the share of `draws` worlds that have it (true counts drawn given the released ones, each world with fresh noise), less what cells with high shares owe to few worlds.',
    listed: 'Cells of a class other than no-pattern whose probability is at least `leastShown`.',
  },
  async compute(parameters, context) {
    const { draws, leastShown } = parameters;
    const series = await readSeries(context.releases, parameters);
    await context.progress(0.1);
    const { classes, probability } = emerging(asRelease(series), series.neighbours, {
      sampler: cellNoise(series),
      random: keyedRandom(context.key),
      draws,
    });
    const shown = positionsWhere(
      classes.length,
      (i) => classes[i] !== 0 && (probability[i] as number) >= Number(leastShown),
    );
    const nameOf = (i: number): string => EMERGING_CLASSES[classes[i] as number] ?? 'no-pattern';
    const counts: Record<string, number> = {};
    for (const i of shown) counts[nameOf(i)] = (counts[nameOf(i)] ?? 0) + 1;
    return {
      limitations: [
        RECORDED,
        MISSING,
        ONE_LAW,
        'A class is shown where another draw of the noise would most likely give it again; where the noise hides the months, only what lasted all of them is.',
      ],
      summary: { ...seriesSummary(series), shown: shown.length, classes: counts },
      columns: ['cell', 'class', 'probability'],
      rows: shown.map((i) => [
        cellText(series, i),
        nameOf(i),
        decimalText(probability[i] as number),
      ]),
    };
  },
};
