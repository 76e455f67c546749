import type { Command } from 'commander';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import {
  calibrateGaussian,
  deltaAtEpsilon,
  discreteGaussian,
  discreteLaplace,
  epsilonAtDelta,
  eventRho,
  formatRational,
  type NoiseSampler,
  type PrivacyEvent,
  parseRational,
  parseRho,
  type RandomSource,
  sumRationals,
  zcdpEpsilon,
} from '#libs/dp';
import { osRandom } from '#libs/host';
import { readStandardInput } from '../standard-input.js';

const MOST_BYTES = 1_000_000;
const MOST_EVENTS = 10_000;
const MOST_DRAWS = 1_000_000_000;
const DRAWS_AT_ONCE = 1 << 18;

const repeats = {
  sensitivity: z.int().positive().default(1),
  count: z.int().positive().default(1),
};
const EventDocument = z.discriminatedUnion('mechanism', [
  z.strictObject({ mechanism: z.literal('discrete-gaussian'), sigma2: z.string(), ...repeats }),
  z.strictObject({ mechanism: z.literal('discrete-laplace'), scale: z.string(), ...repeats }),
]);
const events = z.array(EventDocument).min(1).max(MOST_EVENTS);
const EpsilonQuestion = z.strictObject({ events, delta: z.number() });
/** A `delta` may stand in the document, so that one file serves both questions; it is not used. */
const DeltaQuestion = z.strictObject({ events, epsilon: z.number(), delta: z.number().optional() });

function readQuestion<T>(schema: z.ZodType<T>, text: string): T {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new ConcordatError('malformed-json', 'standard input is not a JSON document');
  }
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') || 'the document';
  throw new ConcordatError(
    'malformed-events',
    `at ${where}: give {"events":[{"mechanism","sigma2" or "scale","sensitivity","count"}]} and the delta or epsilon asked at`,
  );
}

const eventOf = (document: z.infer<typeof EventDocument>): PrivacyEvent =>
  document.mechanism === 'discrete-gaussian'
    ? { ...document, sigma2: parseRational(document.sigma2) }
    : { ...document, scale: parseRational(document.scale) };

/** The answer of `concordat dp epsilon` to a document. */
export function answerEpsilon(text: string) {
  const question = readQuestion(EpsilonQuestion, text);
  const list = question.events.map(eventOf);
  const { upper, lower, lattice } = epsilonAtDelta(list, question.delta);
  if (!Number.isFinite(upper)) {
    throw new ConcordatError(
      'unbounded-loss',
      'these events have no epsilon below 10^9 at this delta',
    );
  }
  const rhos = list.flatMap((event) => eventRho(event) ?? []);
  return {
    epsilon: upper,
    zcdpEpsilon:
      rhos.length === list.length ? zcdpEpsilon(sumRationals(rhos), question.delta) : null,
    lower,
    lattice,
  };
}

/** The answer of `concordat dp delta` to a document. */
export function answerDelta(text: string) {
  const question = readQuestion(DeltaQuestion, text);
  const { upper, lower, lattice } = deltaAtEpsilon(question.events.map(eventOf), question.epsilon);
  return { delta: upper, lower, lattice };
}

const decimal = (name: string, text: string): number => {
  if (!/^(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/.test(text)) {
    throw new ConcordatError('usage', `--${name} is a decimal number such as 1e-6`);
  }
  return Number(text);
};

const whole = (name: string, text: string): number => {
  if (!/^[1-9][0-9]{0,11}$/.test(text)) {
    throw new ConcordatError('usage', `--${name} is a positive whole number`);
  }
  return Number(text);
};

interface SampleOptions {
  readonly mechanism: string;
  readonly sigma2?: string;
  readonly scale?: string;
  readonly count: string;
}

function samplerOf({ mechanism, sigma2, scale }: SampleOptions): NoiseSampler {
  if (mechanism === 'discrete-gaussian' && sigma2 !== undefined && scale === undefined) {
    return discreteGaussian({ sigma2: parseRational(sigma2) });
  }
  if (mechanism === 'discrete-laplace' && scale !== undefined && sigma2 === undefined) {
    return discreteLaplace({ scale: parseRational(scale) });
  }
  throw new ConcordatError(
    'usage',
    'give --mechanism discrete-gaussian with --sigma2, or discrete-laplace with --scale',
  );
}

/**
 * Draws and counts values. The rate is that of the median batch of 2^18 draws with their random words; counting them is left
 * out.
 */
export function sampleHistogram(options: SampleOptions, random: RandomSource) {
  const sampler = samplerOf(options);
  const count = whole('count', options.count);
  if (count > MOST_DRAWS) throw new ConcordatError('usage', `--count is at most ${MOST_DRAWS}`);
  const middle = 1 << 20;
  const near = new Float64Array(2 * middle);
  const far = new Map<number, number>();
  const draws = new Int32Array(Math.min(count, DRAWS_AT_ONCE));
  const batches: number[] = [];
  for (let left = count; left > 0; left -= draws.length) {
    const chunk = left < draws.length ? draws.subarray(0, left) : draws;
    const begin = performance.now();
    sampler.sampleInto(chunk, random);
    batches.push((performance.now() - begin) / chunk.length);
    for (const value of chunk) {
      if (value >= -middle && value < middle)
        near[value + middle] = (near[value + middle] ?? 0) + 1;
      else far.set(value, (far.get(value) ?? 0) + 1);
    }
  }
  near.forEach((seen, i) => {
    if (seen > 0) far.set(i - middle, seen);
  });
  const histogram = Object.fromEntries([...far].sort(([a], [b]) => a - b));
  batches.sort((a, b) => a - b);
  const median = Math.max(1e-9, batches[batches.length >> 1] ?? 0);
  return { histogram, drawsPerSecond: Math.round(1000 / median) };
}

const print = (json: boolean | undefined, answer: object): void => {
  if (json) process.stdout.write(`${JSON.stringify(answer)}\n`);
  else {
    for (const [name, value] of Object.entries(answer)) {
      const text = value !== null && typeof value === 'object' ? JSON.stringify(value) : value;
      process.stdout.write(`${name}\t${text ?? 'none'}\n`);
    }
  }
};

const EVENTS_HELP = `
Reads {"events":[...],"delta":1e-6} (or "epsilon") from standard input. An event is one of
  {"mechanism":"discrete-gaussian","sigma2":"4","sensitivity":1,"count":6}
  {"mechanism":"discrete-laplace","scale":"10","sensitivity":1,"count":2}
with exact fractions as text. The figure is rounded up; "lower" bounds it from below: proven where "lattice" is "exact",
estimated where it is "grid". zcdpEpsilon is what zero-concentrated accounting alone would say; there is none with
discrete Laplace events.

Examples:
  $ echo '{"events":[{"mechanism":"discrete-gaussian","sigma2":"4","sensitivity":1,"count":6}],"delta":1e-6}' \\
      | concordat dp epsilon --json
  $ echo '{"events":[{"mechanism":"discrete-laplace","scale":"10","sensitivity":1,"count":2}],"epsilon":0.1}' \\
      | concordat dp delta --json`;

/** The noun `dp`, made when no other command has made it. */
export const dpCommand = (program: Command): Command =>
  program.commands.find((command) => command.name() === 'dp') ??
  program.command('dp').description('the arithmetic of differential privacy');

/** Adds `concordat dp epsilon | delta | convert | calibrate | sample`. */
export function registerDp(program: Command): void {
  const dp = dpCommand(program);
  const JSON_OPTION = ['--json', 'print one JSON document'] as const;

  dp.command('epsilon')
    .description('epsilon of a composition at a delta, from standard input')
    .option(...JSON_OPTION)
    .addHelpText('after', EVENTS_HELP)
    .action(async ({ json }: { json?: boolean }) => {
      print(json, answerEpsilon(await readStandardInput(MOST_BYTES)));
    });

  dp.command('delta')
    .description('delta of a composition at an epsilon, from standard input')
    .option(...JSON_OPTION)
    .addHelpText('after', EVENTS_HELP)
    .action(async ({ json }: { json?: boolean }) => {
      print(json, answerDelta(await readStandardInput(MOST_BYTES)));
    });

  dp.command('convert')
    .description('epsilon at a delta that rho-zCDP guarantees')
    .requiredOption('--rho <fraction>', 'exact fraction above 0, such as 1/32')
    .requiredOption('--delta <number>', 'between 0 and 1, such as 1e-6')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ concordat dp convert --rho 1/32 --delta 1e-3 --json')
    .action(({ rho, delta, json }: { rho: string; delta: string; json?: boolean }) => {
      print(json, { epsilon: zcdpEpsilon(parseRho(rho), decimal('delta', delta)) });
    });

  dp.command('calibrate')
    .description('smallest sigma^2 (in 1024ths) of a discrete Gaussian that is (epsilon, delta)-DP')
    .requiredOption('--epsilon <number>', 'at least 0.0001')
    .requiredOption('--delta <number>', 'between 0 and 1, such as 1e-6')
    .requiredOption('--sensitivity <integer>', 'what one unit of privacy changes')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nExample:\n  $ concordat dp calibrate --epsilon 1 --delta 1e-6 --sensitivity 1 --json',
    )
    .action((options: { epsilon: string; delta: string; sensitivity: string; json?: boolean }) => {
      const sigma2 = calibrateGaussian({
        epsilon: decimal('epsilon', options.epsilon),
        delta: decimal('delta', options.delta),
        sensitivity: whole('sensitivity', options.sensitivity),
      });
      print(options.json, { sigma2: formatRational(sigma2) });
    });

  dp.command('sample')
    .description('draw noise from the generator of the operating system and count the values')
    .requiredOption('--mechanism <name>', 'discrete-gaussian or discrete-laplace')
    .option('--sigma2 <fraction>', 'parameter of the discrete Gaussian, such as 7/3')
    .option('--scale <fraction>', 'scale of the discrete Laplace, such as 10')
    .requiredOption('--count <integer>', `draws, at most ${MOST_DRAWS}`)
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nExample:\n  $ concordat dp sample --mechanism discrete-gaussian --sigma2 7/3 --count 10000000 --json',
    )
    .action((options: SampleOptions & { json?: boolean }) => {
      print(options.json, sampleHistogram(options, osRandom()));
    });
}
