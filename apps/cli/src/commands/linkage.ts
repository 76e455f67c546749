import { readFileSync, writeFileSync } from 'node:fs';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { ConcordatError, digestOf } from '#libs/bytes';
import { osRandom } from '#libs/host';
import type { MatchKey, StandardPerson } from '#libs/linkage';
import type { ColumnTask } from '../linkage/evaluate.js';
import { registerLinkageCount } from './linkage-count.js';
import { registerLinkageProject } from './linkage-project.js';

// The linkage library waits for WebAssembly when it is imported: no other command should.
const lazily = async () => ({
  ...(await import('#libs/linkage')),
  ...(await import('../linkage/person-file.js')),
  ...(await import('../linkage/oprf-labels.js')),
  ...(await import('../linkage/evaluate.js')),
  ...(await import('../linkage/checkpoint.js')),
});
type Linkage = Awaited<ReturnType<typeof lazily>>;

interface EvaluateOptions {
  readonly left: string;
  readonly right: string;
  readonly id: string;
  readonly keys?: string;
  readonly without?: readonly string[];
  readonly householdSafe?: boolean;
  readonly plain?: boolean;
  readonly proofs: string;
  readonly checkpoint?: string;
  readonly json?: boolean;
}

interface LearnCommandOptions {
  readonly train: readonly string[];
  readonly id: string;
  readonly maxKeys: string;
  readonly minBits: string;
  readonly without?: readonly string[];
  readonly reading?: string;
  readonly householdSafe?: boolean;
  readonly out: string;
  readonly json?: boolean;
}

const usage = (message: string): never => {
  throw new ConcordatError('usage', message);
};

const wholeNumber = (text: string, option: string, most: number): number => {
  const value = Number(text);
  if (!/^\d{1,4}$/.test(text) || value < 1 || value > most)
    usage(`${option} takes a whole number from 1 to ${most}`);
  return value;
};

const progressBar = (what: string): SingleBar =>
  new SingleBar({
    format: `${what} [{bar}] {percentage} % | {value}/{total} | {eta_formatted} left`,
    stream: process.stderr,
    noTTYOutput: false,
    etaBuffer: 50,
  });

const print = (answer: unknown, json: boolean | undefined, lines: readonly string[]): void => {
  if (json) process.stdout.write(`${JSON.stringify(answer)}\n`);
  else process.stdout.write(`${lines.join('\n')}\n`);
};

function chosenKeys(linkage: Linkage, options: EvaluateOptions): readonly MatchKey[] {
  const { parseKeySet, DEFAULT_KEYS, HOUSEHOLD_SAFE_KEYS, readsField, fieldOfColumn } = linkage;
  let keys: readonly MatchKey[] = options.householdSafe ? HOUSEHOLD_SAFE_KEYS : DEFAULT_KEYS;
  if (options.keys !== undefined) {
    if (options.householdSafe) usage('give --keys or --household-safe, not both');
    let document: unknown;
    try {
      document = JSON.parse(readFileSync(options.keys, 'utf8'));
    } catch {
      throw new ConcordatError(
        'malformed-keys',
        'the file given with --keys could not be read as JSON',
      );
    }
    keys = parseKeySet(document);
  }
  const without = (options.without ?? []).map(fieldOfColumn);
  const kept = keys.filter((key) => !readsField(key, without));
  if (kept.length === 0)
    throw new ConcordatError('no-keys', 'no key is left: leave out fewer columns');
  return kept;
}

function makeColumns(
  linkage: Linkage,
  tasks: readonly ColumnTask[],
  options: EvaluateOptions,
): Map<string, readonly (string | null)[]> {
  const random = osRandom();
  const context = { project: 'evaluation', epoch: '1' };
  const counts = tasks.map(({ inputs }) => inputs.filter((input) => input !== null).length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const fresh = () => linkage.makeShares(context, random);
  const digest = (): string =>
    digestOf(
      'concordat/linkage/evaluation/v1',
      tasks.map(({ column, inputs }) => [
        column,
        inputs.map((i) => (i ? Buffer.from(i).toString('base64') : null)),
      ]),
    );
  const checkpoint =
    options.plain || options.checkpoint === undefined
      ? null
      : linkage.openCheckpoint(options.checkpoint, digest(), fresh);
  const pipeline = options.plain
    ? linkage.plainPipeline
    : linkage.oprfPipeline(
        checkpoint?.shares ?? fresh(),
        total,
        options.proofs as 'all' | 'sample',
        random,
      );
  const bar = options.plain ? null : progressBar('labels');
  bar?.start(total, 0);
  try {
    return new Map(
      tasks.map(({ column, inputs }, i) => {
        const saved = checkpoint?.find(column, inputs.length);
        if (saved) bar?.increment(counts[i]);
        const labels = saved ?? pipeline.labels(inputs, (count) => bar?.increment(count));
        if (!saved) checkpoint?.save(column, labels);
        return [column, labels] as const;
      }),
    );
  } finally {
    bar?.stop();
  }
}

/** A deployment refuses these keys (`checkEntropy`); an evaluation says so and goes on. */
function warnOfWeakKeys(
  { EntropyMeter, MIN_KEY_BITS }: Linkage,
  keys: readonly MatchKey[],
  people: readonly StandardPerson[],
): void {
  const meter = new EntropyMeter(people);
  const weak = keys.filter((key) => meter.measuredBits(key.components) < MIN_KEY_BITS);
  if (weak.length === 0) return;
  process.stderr.write(
    `${weak.length} of ${keys.length} keys show less than ${MIN_KEY_BITS} bits on the ${people.length} people on the left\n`,
  );
}

async function evaluate(options: EvaluateOptions): Promise<void> {
  if (!['all', 'sample'].includes(options.proofs)) usage('--proofs takes all or sample');
  const linkage = await lazily();
  const keys = chosenKeys(linkage, options);
  const left = linkage.readPeople(options.left, options.id);
  const right = linkage.readPeople(options.right, options.id);
  warnOfWeakKeys(linkage, keys, left.people);
  const tasks = linkage.columnTasks(left, right, keys);
  const columns = makeColumns(linkage, tasks, options);
  const answer = linkage.evaluateLinkage(left, right, keys, columns);
  const { overlap } = answer;
  const round = (value: number | null) => (value === null ? 'none' : value.toFixed(0));
  print(answer, options.json, [
    `${answer.keys} keys, ${answer.pairs} pairs, precision ${answer.precision}, recall ${answer.recall}`,
    `known to both: ${overlap.truth}; one strict key finds ${overlap.naive}; corrected ${round(overlap.corrected)} (95 % interval ${round(overlap.low)} to ${round(overlap.high)})`,
  ]);
}

async function learn(options: LearnCommandOptions): Promise<void> {
  const linkage = await lazily();
  const { fieldOfColumn, readPeople, learnKeys, formatKeySet } = linkage;
  const maxKeys = wholeNumber(options.maxKeys, '--max-keys', 64);
  const minBits = wholeNumber(options.minBits, '--min-bits', 64);
  const bar = progressBar('keys');
  const files = options.train.map((path) => readPeople(path, options.id));
  bar.start(maxKeys, 0);
  const learned = (() => {
    try {
      return learnKeys(files, {
        maxKeys,
        minBits,
        without: (options.without ?? []).map(fieldOfColumn),
        ...(options.reading === undefined ? {} : { reading: fieldOfColumn(options.reading) }),
        householdSafe: options.householdSafe ?? false,
        onKey: () => bar.increment(),
      });
    } finally {
      bar.stop();
    }
  })();
  const document = `${JSON.stringify(formatKeySet(learned.map(({ key }) => key)), null, 2)}\n`;
  try {
    writeFileSync(options.out, document);
  } catch {
    throw new ConcordatError('unwritable-file', 'the file given with --out cannot be written');
  }
  const table = learned.map(({ key, bits, covered }) => ({ key: key.id, bits, covered }));
  print({ out: options.out, keys: table }, options.json, [
    ...table.map(
      ({ key, bits, covered }) =>
        `${bits.toFixed(1)} bits  ${(100 * covered).toFixed(2)} %  ${key}`,
    ),
    `written to ${options.out}`,
  ]);
}

/** `concordat linkage`: its projects, and evaluation and learning over files. */
export function registerLinkage(program: Command): void {
  const linkage =
    program.commands.find((command) => command.name() === 'linkage') ??
    program
      .command('linkage')
      .description('hashed-identifier linkage: counts of people known to two agencies');

  registerLinkageProject(linkage);
  registerLinkageCount(linkage);

  linkage
    .command('evaluate')
    .description(
      'link two labelled files as a deployment would, all parties in this process, and compare with the truth',
    )
    .requiredOption('--left <file>', 'CSV of people with a header')
    .requiredOption('--right <file>', 'CSV of people with a header')
    .requiredOption('--id <column>', 'column that tells who a row is about (rec-<N>... or any id)')
    .option('--keys <file>', 'key set made by linkage learn (default: the set that ships)')
    .option('--without <columns...>', 'leave out keys that read these columns')
    .option('--household-safe', 'use the shipped keys that never read surname and address alone')
    .option('--plain', 'skip the curve work: the same pairs, much faster')
    .option('--proofs <all|sample>', 'check every batch proof, or the first of each key', 'all')
    .option('--checkpoint <file>', 'save finished keys here and take them up again')
    .option('--json', 'one JSON document on standard output')
    .addHelpText(
      'after',
      `
Examples:
  $ concordat linkage evaluate --left A.csv --right B.csv --id rec_id --json
  $ concordat linkage evaluate --left A.csv --right B.csv --id rec_id --without soc_sec_id --plain
  $ concordat linkage evaluate --left A.csv --right B.csv --id rec_id --checkpoint run.ckpt`,
    )
    .action(evaluate);

  linkage
    .command('learn')
    .description('propose a key set from labelled files in which people have several records')
    .requiredOption('--train <files...>', 'CSV files of people with a header')
    .requiredOption('--out <file>', 'where to write the key set')
    .option('--id <column>', 'column that tells who a row is about', 'rec_id')
    .option('--max-keys <n>', 'most keys to propose', '20')
    .option('--min-bits <n>', 'collision entropy each key must carry', '28')
    .option('--without <columns...>', 'columns no key may read')
    .option('--reading <column>', 'a column every key must read')
    .option('--household-safe', 'no key on surname and address alone')
    .option('--json', 'one JSON document on standard output')
    .addHelpText(
      'after',
      `
Examples:
  $ concordat linkage learn --train dataset1.csv dataset2.csv --max-keys 20 --min-bits 28 --out keys.json
  $ concordat linkage learn --train dataset1.csv --without soc_sec_id --household-safe --out keys.json`,
    )
    .action(learn);
}
