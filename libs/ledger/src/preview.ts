/** What a query would cost, told before it is asked, and the ledger as plain JSON. Neither changes anything. */
import { compareRational, divideRational, formatRational, parseRho, type Rational } from '#libs/dp';
import { analystUse, type Ledger, remaining } from './ledger.js';

export interface Preview {
  readonly affordable: boolean;
  /** Canonical rationals: the cost, and what is left now of the tightest accounting year. */
  readonly cost: string;
  readonly remaining: string;
  /** How many more queries of this cost the tightest year bears after this one. */
  readonly likeItAfter: bigint;
  readonly sentence: string;
}

const smallest = (values: readonly Rational[]): Rational | undefined =>
  values.reduce<Rational | undefined>(
    (least, value) => (least && compareRational(least, value) <= 0 ? least : value),
    undefined,
  );

/**
 * The what-if of a spend over all its accounting years. A dataset without a limit in the active policy affords nothing.
 * Throws `malformed-rho`.
 */
export function preview(
  ledger: Ledger,
  asked: { readonly dataset: string; readonly years: readonly string[]; readonly rho: string },
): Preview {
  const cost = parseRho(asked.rho);
  const known = asked.years.map((year) => remaining(ledger, asked.dataset, year));
  const lefts = known.filter((left) => left !== undefined);
  const left = lefts.length === known.length ? smallest(lefts) : undefined;
  const price = `this query costs ${asked.rho}`;
  if (!left) {
    const sentence = `${price}; the policy in force gives this dataset no budget`;
    return { affordable: false, cost: asked.rho, remaining: '0', likeItAfter: 0n, sentence };
  }
  const { num, den } = divideRational(left, cost);
  const times = num > 0n ? num / den : 0n;
  const likeItAfter = times > 0n ? times - 1n : 0n;
  const span = asked.years.length > 1 ? `of each of ${asked.years.join(' and ')}` : '';
  const sentence =
    times > 0n
      ? `${price}${span && ` ${span}`}; ${likeItAfter} like it remain this year`
      : `${price}${span && ` ${span}`}; only ${formatRational(left)} is left this year, so it will be refused`;
  return {
    affordable: times > 0n,
    cost: asked.rho,
    remaining: formatRational(left),
    likeItAfter,
    sentence,
  };
}

/** Spends as canonical rationals, by dataset and accounting year. */
export type SpentTable = { readonly [dataset: string]: { readonly [year: string]: string } };

/** Everything spent, as JSON: what `concordat audit --json` prints and `libs/policy` reads. */
export function spentTable(ledger: Ledger): SpentTable {
  const table: Record<string, Record<string, string>> = {};
  for (const [key, value] of [...ledger.spent].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [dataset = '', year = ''] = key.split('/');
    if (value.num === 0n) continue;
    table[dataset] ??= {};
    table[dataset][year] = formatRational(value);
  }
  return table;
}

/**
 * The ledger as `libs/policy` wants to see it when it decides on a query of `analyst` at the ISO instant `at`; spends granted
 * but not logged yet are counted.
 */
export function ledgerView(
  ledger: Ledger,
  { analyst, at }: { readonly analyst: string; readonly at: string },
) {
  const { rhoThisYear, queriesToday } = analystUse(ledger, analyst, at);
  const use = { rhoThisYear: formatRational(rhoThisYear), queriesToday };
  return { spent: spentTable(ledger), analysts: { [analyst]: use } };
}
