/**
 * `npm run bench -- early-warning`: false alarms per 1,000 cell-months of cells whose rates go as all others do, and how often cells whose
 * rate doubles for three months warn, with a baseline estimated from the nine months before. On a grid of settings that was
 * written down before any figure was looked at: epsilons, densities, laws of the rates, and what all cells share.
 * CONCORDAT_BENCH_EPSILONS, _WORLDS (12) and _RADIUS (of the disk of cells) make it cheaper; CONCORDAT_BENCH_SETTINGS runs only the
 * settings whose names hold one of its parts, separated by semicolons.
 */
import process from 'node:process';
import {
  forecast,
  gammaDraw,
  noiseVariance,
  poissonDraws,
  uniforms,
  usualBaseline,
  warnings,
} from '#libs/analytics';
import { discreteLaplace, rational } from '#libs/dp';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import type { Emit } from './line.js';
import { seededWords } from './seeded-words.js';

/** Incidents a cell-month. */
const DENSITIES = [0.3, 1, 4, 15];
const FIELDS = ['alike', 'gamma', 'log-normal', 'two levels'] as const;
const COURSES = ['still', 'growth', 'decline', 'calendar'] as const;
type Field = (typeof FIELDS)[number];
type Course = (typeof COURSES)[number];

const {
  CONCORDAT_BENCH_EPSILONS: EPSILONS = '0.1,0.3,0.5,1,2',
  CONCORDAT_BENCH_RADIUS: RADIUS = '30',
  CONCORDAT_BENCH_WORLDS: WORLDS = '12',
  CONCORDAT_BENCH_SETTINGS: SETTINGS = '',
} = process.env;
/** Parts of the names of the settings to run; all of them where none is given. */
const chosen = SETTINGS.split(';').filter((part) => part !== '');
const EARLIER = 9;
const WATCHED = 3;
/** One cell in so many doubles. */
const ONE_IN = 50;

const GAMMA_SHAPE = 1.5;
const LOG_SIGMA = 1.2;

function relativeRate(field: Field, uniform: () => number): number {
  if (field === 'alike') return 1;
  if (field === 'two levels') return uniform() < 0.1 ? 5.5 : 0.5;
  if (field === 'gamma') return gammaDraw(GAMMA_SHAPE, uniform) / GAMMA_SHAPE;
  const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return Math.exp(LOG_SIGMA * normal - LOG_SIGMA ** 2 / 2);
}

/** Factor on the rates of all cells in month t; the calendar is a year's wave of a fifth either way. */
function shared(course: Course, t: number, phase: number): number {
  if (course === 'growth') return 1.03 ** t;
  if (course === 'decline') return 0.97 ** t;
  return course === 'calendar' ? 1 + 0.2 * Math.sin(2 * Math.PI * (t / 12 + phase)) : 1;
}

export async function run(emit: Emit): Promise<void> {
  const cells = disk(cellAt(51.5, -0.1, 9), Number(RADIUS));
  const neighbours = neighbourLists(cells);
  const all: number[] = [];
  let seed = 0;
  for (const epsilon of EPSILONS.split(',').map(Number)) {
    const law = { mechanism: 'discrete-laplace', epsilon } as const;
    const sampler = discreteLaplace({ scale: rational(10n, BigInt(Math.round(10 * epsilon))) });
    const noise = new Int32Array(cells.length);
    for (const density of DENSITIES) {
      for (const field of FIELDS) {
        for (const course of COURSES) {
          const name = `early warning at epsilon ${epsilon}, ${density} a cell-month, rates ${field}, ${course}`;
          seed++;
          if (chosen.length > 0 && !chosen.some((part) => name.includes(part))) continue;
          const random = seededWords(seed);
          const uniform = uniforms(random);
          let innocent = 0;
          let alarms = 0;
          let doubled = 0;
          let found = 0;
          for (let world = 0; world < Number(WORLDS); world++) {
            const phase = uniform();
            const rates = Float64Array.from(cells, (_, i) => {
              const background = field === 'alike' ? 1 : 1 + 0.6 * Math.sin(i / 60);
              return density * background * relativeRate(field, uniform);
            });
            const months = Array.from({ length: EARLIER + WATCHED }, (_, t) => {
              sampler.sampleInto(noise, random);
              const rise = shared(course, t, phase);
              const means = rates.map(
                (rate, i) => rate * rise * (i % ONE_IN === 7 && t >= EARLIER ? 2 : 1),
              );
              return poissonDraws(means, random).map((count, i) => count + (noise[i] as number));
            });
            const usual = forecast(
              {
                periods: months.slice(0, EARLIER),
                noiseVariance: noiseVariance(law),
                law,
                periodsPerYear: 12,
              },
              neighbours,
            );
            const { warned } = warnings(months.slice(EARLIER), usualBaseline(usual), { law });
            warned.forEach((one, i) => {
              if (i % ONE_IN === 7) {
                doubled++;
                found += one;
              } else {
                innocent++;
                alarms += one;
              }
            });
          }
          const perThousand = (1000 * alarms) / innocent;
          all.push(perThousand);
          emit({
            name: `${name}, false alarms`,
            figure: Number(perThousand.toFixed(2)),
            unit: 'per 1,000 cell-months',
          });
          emit({
            name: `${name}, doubled rates found`,
            figure: Number(((100 * found) / doubled).toFixed(1)),
            unit: '%',
          });
        }
      }
    }
  }
  const inside = all.filter((value) => value >= 2 && value <= 5).length;
  emit({ name: 'settings with 2 to 5 false alarms', figure: inside, unit: `of ${all.length}` });
}
