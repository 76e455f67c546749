/** What is left of a node's privacy budget, read from its log alone: no lock is taken and nothing is changed. */
import { readFileSync } from 'node:fs';
import { Lexer, Parser, parse } from 'yaml';
import { ConcordatError, nestsTooDeep } from '#libs/bytes';
import { formatRational } from '#libs/dp';
import { readJournal } from '#libs/journal';
import {
  answerFor,
  applyEntry,
  emptyLedger,
  type Ledger,
  preview,
  remaining,
  spent,
} from '#libs/ledger';
import { Manifest } from '#libs/protocol';
import { accountingYears, canonicaliseQuery, describeQuery, fingerprint } from '#libs/query';
import { decodeEntry } from '#libs/tlog';
import { loadConfig, nodePaths } from './config.js';

export interface Budget {
  readonly dataset: string;
  /** Entries of the log that this is told from. */
  readonly entries: string;
  /** By accounting year of the data; amounts are exact rationals of zCDP rho. */
  readonly years: readonly {
    readonly year: string;
    readonly limit: string;
    readonly spent: string;
    readonly left: string;
  }[];
  /** Of the question given, if one was. */
  readonly preview: {
    readonly question: string;
    readonly fingerprint: string;
    readonly affordable: boolean;
    readonly cost: string;
    readonly likeItAfter: string;
    readonly sentence: string;
  } | null;
}

interface Folded {
  readonly ledger: Ledger;
  /** Version of each dataset that the last ingest made. */
  readonly versions: ReadonlyMap<string, string>;
}

/** The ledger of a node's folder as its log tells it, entries that no checkpoint signs yet included. */
async function readLedger(dir: string): Promise<Folded> {
  const ledger = emptyLedger();
  const versions = new Map<string, string>();
  for await (const { index, bytes } of readJournal(nodePaths(dir).log, { unsigned: true })) {
    const entry = decodeEntry(bytes);
    applyEntry(ledger, index, entry);
    if (entry.kind === 'ingest.batch') versions.set(entry.dataset, entry.versionDigest);
  }
  return { ledger, versions };
}

/** Spends of a dataset by accounting year, every year that was charged and every one in `also`. */
export function budgetYears(
  ledger: Ledger,
  dataset: string,
  also: readonly string[],
): Budget['years'] {
  const limit = ledger.policy?.rhoPerYear.get(dataset);
  const charged = [...ledger.spent.keys()]
    .filter((key) => key.startsWith(`${dataset}/`))
    .map((key) => key.slice(dataset.length + 1));
  return [...new Set([...charged, ...also])].sort().map((year) => {
    const left = remaining(ledger, dataset, year);
    return {
      year,
      limit: limit ? formatRational(limit) : '0',
      spent: formatRational(spent(ledger, dataset, year)),
      left: left ? formatRational(left) : '0',
    };
  });
}

/** A question as people write it; what the federation fixes (version, measure, grid) may be left out. */
function readQuery(text: string, dir: string) {
  if (nestsTooDeep(text, { Lexer, Parser }))
    throw new ConcordatError('query-not-object', 'the query nests too deep');
  let written: unknown;
  try {
    written = parse(text, { uniqueKeys: true });
  } catch {
    throw new ConcordatError('query-not-object', 'the query is neither YAML nor JSON');
  }
  if (typeof written !== 'object' || written === null || Array.isArray(written))
    return canonicaliseQuery(written);
  const { grid } = Manifest.pick({ grid: true })
    .strip()
    .parse(JSON.parse(readFileSync(nodePaths(dir).manifest, 'utf8')).payload);
  const fixed = { version: 1, measure: 'incidents', grid: grid.name, gridHash: grid.hash };
  return canonicaliseQuery({ ...fixed, ...written });
}

function previewOf({ ledger, versions }: Folded, dataset: string, text: string, dir: string) {
  const query = readQuery(text, dir);
  const asked = fingerprint(query);
  const years = accountingYears(query.periods);
  const answered = answerFor(ledger, asked, versions.get(dataset) ?? '');
  const told = preview(ledger, { dataset, years, rho: query.rho });
  return {
    years,
    preview: {
      question: describeQuery(query),
      fingerprint: asked,
      affordable: answered !== undefined || told.affordable,
      cost: answered ? '0' : told.cost,
      likeItAfter: String(told.likeItAfter),
      sentence: answered
        ? 'this query was answered on the data held now: asked again, it gets the same answer and costs nothing'
        : told.sentence,
    },
  };
}

/**
 * The budget of the node in `dir`, and what `question` (YAML or JSON) would cost. Throws `log-corrupt`, `config-missing`, and the
 * query's own codes.
 */
export async function readBudget(dir: string, question: string | undefined): Promise<Budget> {
  const dataset = loadConfig(dir).dataset.name;
  const folded = await readLedger(dir);
  const asked = question === undefined ? undefined : previewOf(folded, dataset, question, dir);
  return {
    dataset,
    entries: String(folded.ledger.nextIndex),
    years: budgetYears(folded.ledger, dataset, asked?.years ?? []),
    preview: asked?.preview ?? null,
  };
}

/** The budget in a few lines; the answer about the question first. */
export function formatBudget({ dataset, entries, years, preview: asked }: Budget): string {
  const lines = years.map(
    ({ year, limit, spent: used, left }) =>
      `  ${year}  spent ${used.padStart(8)}  of ${limit.padStart(4)}  left ${left}\n`,
  );
  const head = asked ? `${asked.question}\n${asked.sentence}\n\n` : '';
  const none = years.length === 0 ? '  nothing was spent yet\n' : '';
  return `${head}Budget of ${dataset} by year of the data, zCDP rho (log of ${entries} entries):\n${none}${lines.join('')}`;
}
