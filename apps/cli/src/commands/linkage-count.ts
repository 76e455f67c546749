/** `concordat linkage count`: asks how many people are known to two agencies, and prints the one number. */
import type { Command } from 'commander';
import { ConcordatError } from '#libs/bytes';
import { httpAddress } from '#libs/command-line';
import { loadSigningKey } from '#libs/keystore';
import { areaResolution, type LinkedPeople } from '#libs/query';
import { ask } from '../ask.js';
import { fetchRelease } from '../release-files.js';
import { DEFAULT_URL } from './default-url.js';

interface CountFlags {
  readonly url: string;
  readonly key: string;
  readonly analyst: string;
  readonly linkage: string;
  readonly left: string;
  readonly right: string;
  readonly leftRoles?: string;
  readonly rightRoles?: string;
  readonly leftCategories?: string;
  readonly rightCategories?: string;
  readonly categories: string;
  readonly from: string;
  readonly to: string;
  readonly area: string;
  readonly rho: string;
  readonly purpose: string;
  readonly json?: boolean;
}

const list = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .sort();

const side = (agency: string, roles?: string, categories?: string): LinkedPeople['left'] => ({
  agency,
  ...(roles === undefined ? {} : { roles: list(roles) }),
  ...(categories === undefined
    ? {}
    : { categories: list(categories) as unknown as LinkedPeople['left']['categories'] & object }),
});

async function count(flags: CountFlags): Promise<void> {
  const [project = '', epoch = '', more] = flags.linkage.split('/');
  if (!project || !epoch || more !== undefined) {
    throw new ConcordatError('usage', '--linkage is PROJECT/EPOCH');
  }
  const linkage: LinkedPeople = {
    project,
    epoch,
    left: side(flags.left, flags.leftRoles, flags.leftCategories),
    right: side(flags.right, flags.rightRoles, flags.rightCategories),
    area: flags.area,
  };
  const round = await ask(
    flags.url,
    { id: flags.analyst, key: loadSigningKey(flags.key) },
    {
      measure: 'linked-people',
      categories: list(flags.categories),
      periods: [flags.from === flags.to ? flags.from : `${flags.from}/${flags.to}`],
      resolution: areaResolution(flags.area),
      rho: flags.rho,
      purpose: flags.purpose,
      agencies: [flags.left, flags.right].sort(),
      linkage,
    },
    {
      nowMs: Date.now,
      onProgress: ({ phase }) => {
        if (process.stderr.isTTY) process.stderr.write(`\r${phase} `);
      },
    },
  );
  if (process.stderr.isTTY) process.stderr.write('\n');
  const { linked, sentence, privacy } = await fetchRelease(flags.url, round.release);
  if (!linked) throw new ConcordatError('unexpected-answer', 'the release holds no linked count');
  if (flags.json) {
    process.stdout.write(
      `${JSON.stringify({ release: round.release, sentence, linked, privacy })}\n`,
    );
    return;
  }
  const { corrected, low, high, naive } = linked;
  const found =
    corrected === null
      ? 'too few people agree to tell'
      : `about ${Math.max(0, corrected)} (likely ${Math.max(0, low ?? 0)} to ${high})`;
  process.stdout.write(
    `${sentence}\n${found}; one strict key finds about ${Math.max(0, naive)}\nRelease ${round.release}\n`,
  );
}

/** Registers the verb on `concordat linkage`. */
export function registerLinkageCount(linkage: Command): void {
  linkage
    .command('count')
    .description('ask, as an analyst, how many people are known to both agencies of a project')
    .option('--url <url>', 'address of the coordinator', httpAddress, DEFAULT_URL)
    .requiredOption('--key <file>', "the analyst's private key")
    .option('--analyst <id>', 'id of the analyst in the manifest', 'demo-analyst')
    .requiredOption('--linkage <project/epoch>', 'the labelled epoch')
    .requiredOption('--left <agency>', 'agency whose people are counted, as the project names it')
    .requiredOption('--right <agency>', 'agency to which they may be known too')
    .option('--left-roles <list>', 'how the left agency knows them; any way when left out')
    .option('--right-roles <list>', 'how the right agency knows them; any way when left out')
    .option('--left-categories <list>', 'for what the left agency knows them, of --categories')
    .option('--right-categories <list>', 'for what the right agency knows them, of --categories')
    .requiredOption('--categories <list>', 'common categories, separated by commas')
    .requiredOption('--from <month>', 'first month, YYYY-MM')
    .requiredOption('--to <month>', 'last month, YYYY-MM')
    .option(
      '--area <area>',
      'total, the code of a local authority, or an H3 cell of resolution 4 to 7',
      'total',
    )
    .option('--rho <rho>', 'budget per agency, an exact rational', '1/2')
    .option('--purpose <purpose>', 'purpose as the grants name it', 'intervention-evaluation')
    .option('--json', 'one JSON document on standard output')
    .addHelpText(
      'after',
      `
Example:
  concordat linkage count --key analyst.pem --linkage harm/2026-q4 --left my-force --right my-council \\
    --left-roles suspect --categories asb,violence --from 2026-01 --to 2026-06

For a part of the left agency's area: --area E06000023 (a local authority), or --area 871958392ffffff (an H3 cell; one in which
fewer than 5,000 people live is refused). A person counts in one area alone, that of their latest encounter which the question asks for.`,
    )
    .action(count);
}
