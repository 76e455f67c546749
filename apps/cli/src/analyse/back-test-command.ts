/** `concordat analyse backtest`: how well each method finds the places of the coming month, per privacy budget. */
import process from 'node:process';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { backTest, type MethodResult } from '#libs/analytics';
import { ConcordatError } from '#libs/bytes';
import { neighbourLists, resolutionFrom } from '#libs/grid';
import { areaCells } from './area-cells.js';
import { categorySelection, IncidentCounter, predicateSelection } from './incident-counts.js';
import { readIncidents } from './incident-files.js';
import { noiseLaw, noiseSampler } from './noise.js';
import { analysisRandom } from './random.js';

interface BackTestOptions {
  readonly incidents: string[];
  readonly category: string;
  readonly predicate: string[];
  readonly resolution: number;
  readonly epsilon?: number;
  readonly sigma2?: number;
  readonly mechanism: string;
  readonly draws: number;
  readonly trainMonths: number;
  readonly top: number;
  readonly area?: string;
  readonly seed?: string;
  readonly json?: boolean;
}

const number = (text: string): number => {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new ConcordatError('usage', 'an option that takes a number was given something else');
};
const collect = (value: string, earlier: string[]): string[] => [...earlier, value];

const EXAMPLES = `
Examples:
  concordat analyse backtest --incidents 'avon/*-street.csv.gz' --category robbery --epsilon 0.5 --json
  concordat analyse backtest --incidents assaults.csv.gz --area districts.geojson --predicate loc_cat=street --epsilon 1

Files are police.uk street CSV, or CSV with date, longitude, latitude; gzipped or not. The noise is drawn anew for every
cell, month and draw, for the category and for all incidents; methods see noisy counts and public data only.`;

/** The document that \`--json\` prints. */
export interface BackTestReport {
  readonly area: { readonly cells: number };
  readonly resolution: number;
  readonly incidents: {
    readonly read: number;
    readonly selected: number;
    readonly outsideArea: number;
    readonly unlocated: number;
  };
  readonly methods: readonly MethodResult[];
}

/** Reads, counts, noises and judges. Throws what its parts throw. */
export async function runBackTest(options: BackTestOptions): Promise<BackTestReport> {
  const { mechanism } = options;
  if (mechanism !== 'discrete-laplace' && mechanism !== 'discrete-gaussian') {
    throw new ConcordatError('usage', 'the mechanism is discrete-laplace or discrete-gaussian');
  }
  const law = noiseLaw({ mechanism, epsilon: options.epsilon, sigma2: options.sigma2 });
  const resolution = resolutionFrom(options.resolution);
  const category = categorySelection(options.category);
  const selections = [
    ...(category ? [category] : []),
    ...options.predicate.map(predicateSelection),
  ];
  const counter = new IncidentCounter(resolution, selections);
  const { unlocated } = await readIncidents(options.incidents, (incident) => counter.add(incident));
  if (counter.selected === 0) {
    throw new ConcordatError(
      'no-incidents',
      'no incident of the files is in the category or meets the predicate',
    );
  }
  const cells = areaCells(options.area, counter.forces, resolution);
  const { selected, all, outside } = counter.vectors(cells);
  const everything = counter.selected === counter.incidents;
  const bar = process.stderr.isTTY ? new SingleBar({ format: ' {bar} {percentage} %' }) : undefined;
  const methods = backTest({
    category: selected,
    ...(everything ? {} : { allCrime: all }),
    neighbours: neighbourLists(cells),
    sampler: noiseSampler(law),
    law,
    random: analysisRandom(options.seed),
    draws: options.draws,
    trainMonths: options.trainMonths,
    top: options.top,
    onProgress: (done, total) => {
      if (done === 1) bar?.start(total, 0);
      bar?.update(done);
    },
  });
  bar?.stop();
  return {
    area: { cells: cells.length },
    resolution,
    incidents: {
      read: counter.incidents,
      selected: counter.selected,
      outsideArea: outside,
      unlocated,
    },
    methods,
  };
}

function printTable({ area, methods }: BackTestReport): void {
  const lines = methods.map(
    ({ method, hitRate, pai, pei }) =>
      `${method.padEnd(24)}${(100 * hitRate).toFixed(1).padStart(6)} %${pai.toFixed(1).padStart(8)}${pei.toFixed(3).padStart(8)}`,
  );
  const title = `${'method'.padEnd(24)}${'hits'.padStart(8)}${'PAI'.padStart(8)}${'PEI'.padStart(8)}`;
  process.stderr.write(`${area.cells} cells\n${[title, ...lines].join('\n')}\n`);
}

/** Adds `backtest` to `analyse`. */
export function addBackTest(analyse: Command): void {
  analyse
    .command('backtest')
    .summary('hit rate, PAI and PEI of each forecast method under noise')
    .description('Back-test by rolling origin: hit rate, PAI and PEI of each method under noise.')
    .requiredOption('--incidents <file...>', 'files, or patterns with * and ?')
    .option('--category <name>', 'category of incident', 'all')
    .option('--predicate <column=value>', 'rows with this value; repeat to narrow', collect, [])
    .option('--resolution <n>', 'H3 resolution, 9 or coarser', number, 9)
    .option('--epsilon <number>', 'privacy loss per cell and month (discrete-laplace)', number)
    .option('--sigma2 <number>', 'noise parameter (discrete-gaussian)', number)
    .option('--mechanism <name>', 'discrete-laplace or discrete-gaussian', 'discrete-laplace')
    .option('--draws <n>', 'draws of the noise', number, 10)
    .option('--train-months <n>', 'months a method sees', number, 12)
    .option('--top <share>', 'share of the cells that can be attended to', number, 0.01)
    .option('--area <force or file>', 'force, or GeoJSON file; by default the force the files name')
    .option('--seed <text>', 'repeatable noise')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', EXAMPLES)
    .action(async (options: BackTestOptions) => {
      const report = await runBackTest(options);
      if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
      else printTable(report);
    });
}
