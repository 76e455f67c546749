/** `concordat analyse METHOD --release ID..`: a layer computed here from public releases, byte for byte what the coordinator serves. */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { SingleBar } from 'cli-progress';
import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { httpAddress } from '#libs/command-line';
import {
  computeLayer,
  type LayerRequest,
  type LayerResult,
  layerRequest,
  type Method,
  parseResult,
} from '#libs/layers';
import { DEFAULT_URL } from '../commands/default-url.js';
import { graphql } from '../graphql-client.js';
import { compareWithServed } from './compare-with-served.js';
import { publicBlobs, shippedDeprivation } from './public-blobs.js';

const SHOWN_ROWS = 20;

interface LayerFlags {
  readonly url: string;
  readonly release: readonly string[];
  readonly layer?: string;
  readonly compare?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}
/** What commander makes of the flags of a method, by the names of its parameters. */
type Given = LayerFlags & Readonly<Record<string, unknown>>;

type Reader = (text: string, before?: unknown) => unknown;
type Option = readonly [flags: string, description: string, reader?: Reader];

const whole: Reader = (text) => {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('give a whole number');
};
const list: Reader = (text) => text.split(',').map((item) => item.trim());
const lists: Reader = (text, before) => [...((before as unknown[]) ?? []), list(text)];

const CATEGORY: Option = ['--category <name>', 'common category'];
const RESOLUTION: Option = [
  '--resolution <n>',
  'H3 resolution, not finer than the releases',
  whole,
];
const RANGE: readonly Option[] = [
  ['--from <month>', 'first month, YYYY-MM'],
  ['--to <month>', 'last month, YYYY-MM'],
];
const CELLS: readonly Option[] = [CATEGORY, RESOLUTION, ...RANGE];
const TOP: Option = ['--top <share>', 'share of the cells that can be attended to'];
const WORLDS: Option = ['--worlds <n>', 'simulated worlds', whole];
const RATE: Option = ['--rate <share>', 'false discovery rate'];
const DRAWS: Option = ['--draws <n>', 'Monte Carlo draws', whole];

const SUMMARIES: Readonly<Record<Method, string>> = {
  concentration: 'how concentrated is crime',
  hotspots: 'cells hotter than the average of the area',
  trend: 'cells getting better or worse',
  emerging: 'what is new, growing or fading',
  warnings: 'where somebody should look now',
  forecast: 'where it will be next, of a layer that its owner has switched on',
  fairness: 'whom attention serves, and whom the noise fails',
  evaluation: 'whether an intervention worked',
  plan: 'resolution and budget of each category for a year of questions',
};

/** Options of each method; one left out has the default that `libs/layers` gives it. */
const OPTIONS: Readonly<Record<Method, readonly Option[]>> = {
  concentration: [...CELLS, ['--coverage <share>', 'of the interval']],
  hotspots: [...CELLS, RATE, TOP],
  trend: [...CELLS, RATE],
  emerging: [...CELLS, DRAWS, ['--least-shown <share>', 'probability from which a class is shown']],
  warnings: [
    ...CELLS,
    ['--recent <n>', 'newest months that are watched', whole],
    ['--false-alarms <share>', 'share of unchanged cells that may warn'],
  ],
  forecast: [...RANGE],
  fairness: [...CELLS, TOP, WORLDS],
  evaluation: [
    CATEGORY,
    ...RANGE,
    ['--start <month>', 'first month of the intervention'],
    ['--treated <cells>', 'H3 cells, separated by commas', list],
    ['--control <cells>', 'the same, for comparison', list],
    ['--displacement <cells>', 'where crime may have moved to', list],
    ['--displacement-control <cells>', 'its comparison', list],
    ['--donors <cells>', 'an area of a synthetic control; give it twice or more', lists],
    ['--size <share>', 'size of the tests'],
  ],
  plan: [
    ...RANGE,
    ['--categories <list>', 'categories; those of the releases when left out', list],
    ['--rho-per-year <rho>', 'budget of the year, an exact rational'],
    ['--runs <n>', 'runs a year', whole],
    TOP,
    ['--power <share>', 'power that is enough'],
  ],
};

const ForecastLayers = z.object({
  forecastLayers: z.array(
    z.object({
      layer: z.string(),
      isOn: z.boolean(),
      definition: z.object({
        category: z.string(),
        resolution: z.int(),
        horizon: z.int(),
        top: z.string(),
      }),
    }),
  ),
});

/** What a forecast layer forecasts. Throws `forecast-off`. */
async function definitionOf(
  url: string,
  layer: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { forecastLayers } = await graphql(
    url,
    '{ forecastLayers { layer isOn definition { category resolution horizon top } } }',
    {},
    ForecastLayers,
  );
  const known = forecastLayers.find((one) => one.layer === layer);
  if (known?.isOn) return known.definition;
  throw new ConcordatError(
    'forecast-off',
    'no owner has switched this forecast on: concordat forecast enable --help says how',
  );
}

async function requestOf(method: Method, flags: Given): Promise<LayerRequest> {
  const { url, release, layer, compare: _, out: __, json: ___, ...own } = flags;
  const file =
    method === 'forecast' || method === 'fairness'
      ? { deprivation: shippedDeprivation().hash }
      : {};
  const defined = layer === undefined ? {} : await definitionOf(url, layer);
  return layerRequest(method, { ...own, ...defined, ...file }, release);
}

function describe({ question, summary, columns, rows, key }: LayerResult): string {
  const figures = Object.entries(summary).map(
    ([name, value]) => `  ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const shown = rows
    .slice(0, SHOWN_ROWS)
    .map((row) => `  ${row.map((value) => value ?? '-').join('  ')}`);
  const more = rows.length > SHOWN_ROWS ? [`  .. ${rows.length - SHOWN_ROWS} more: --json`] : [];
  return [
    question,
    ...figures,
    `  ${columns.join('  ')}`,
    ...shown,
    ...more,
    `Layer ${key}`,
    '',
  ].join('\n');
}

async function run(method: Method, flags: Given): Promise<void> {
  const request = await requestOf(method, flags);
  const bar = process.stderr.isTTY
    ? new SingleBar({ format: ' {bar} {percentage} % ({fetched} blobs)', stream: process.stderr })
    : undefined;
  bar?.start(100, 0, { fetched: 0 });
  let fetched = 0;
  const source = publicBlobs(flags.url, (blobs) => {
    fetched = blobs;
    bar?.update({ fetched });
  });
  const bytes = await computeLayer(request, source, {
    onProgress: (share) => bar?.update(Math.round(100 * share), { fetched }),
  }).finally(() => bar?.stop());
  if (flags.compare) await compareWithServed(flags.url, request, bytes, flags.layer);
  if (flags.out !== undefined) writeFileSync(flags.out, bytes);
  // Exactly the bytes: their hash is the hash of what the coordinator serves.
  if (flags.json) process.stdout.write(bytes);
  else process.stdout.write(describe(parseResult(bytes)));
  if (flags.compare && !flags.json) {
    process.stderr.write('The coordinator serves the very same bytes.\n');
  }
}

const collect = (id: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...id.split(','),
];

/** Adds a subcommand per method to `analyse`. */
export function addLayers(analyse: Command): void {
  for (const [name, options] of Object.entries(OPTIONS)) {
    const method = name as Method;
    const command = analyse
      .command(method)
      .summary(`${SUMMARIES[method]}, from releases`)
      .description(
        `${SUMMARIES[method]}: computed here from public releases; the same request gives the same bytes everywhere.`,
      )
      .requiredOption('--release <id>', 'release to compute from; repeat for a series', collect)
      .option('--url <url>', 'coordinator that publishes them', httpAddress, DEFAULT_URL);
    if (method === 'forecast') {
      command.requiredOption('--layer <name>', 'forecast layer that is switched on');
    }
    for (const [flags, description, reader] of options) {
      if (reader) command.option(flags, description, reader);
      else command.option(flags, description);
    }
    command
      .option(
        '--compare',
        'fail unless the coordinator serves the very same bytes; asks it to compute them when it has not',
      )
      .option('--out <file>', 'write the document to a file')
      .option('--json', 'the document on standard output, exactly its bytes')
      .addHelpText('after', `\n${exampleOf(method)}`)
      .action((flags: Given) => run(method, flags));
  }
}

const EXAMPLES: Readonly<Record<Method, string>> = {
  concentration: '--category robbery --resolution 8',
  hotspots: '--category robbery --resolution 9 --rate 0.05',
  trend: '--category violence --resolution 7 --compare',
  emerging: '--category asb --resolution 8 --json > emerging.json',
  warnings: '--category asb --resolution 8 --recent 2',
  forecast: '--layer robbery-next-month --json',
  fairness: '--category violence --resolution 9 --top 0.01',
  evaluation:
    '--category robbery --start 2024-01 --treated 871958754ffffff --control 87195875bffffff',
  plan: '--rho-per-year 2 --runs 12',
};

const exampleOf = (method: Method): string =>
  `Example:\n  concordat analyse ${method} --release ID ${EXAMPLES[method]}`;
