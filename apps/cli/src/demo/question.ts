import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { CATEGORIES, monthsOf } from '#libs/query';
import type { Question } from '../ask.js';
import { ROOT } from './root.js';

const SampleQuestion = z.strictObject({
  purpose: z.string(),
  categories: z.array(z.string()),
  from: z.string(),
  to: z.string(),
  resolution: z.int(),
  rho: z.string(),
});

const DEFAULT_MONTHS = 12;

/** What one agency's ingest found, as its operator sees it. */
export interface Held {
  readonly months: readonly string[];
  readonly categories: readonly string[];
}

const unique = (lists: readonly (readonly string[])[]): string[] =>
  [...new Set(lists.flat())].sort();

interface Asked {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly categories: readonly string[] | undefined;
}

/**
 * Checks what can be checked of the question before a file is read: that the months are months in order and the categories known.
 * Throws `bad-period`, `period-order`, `unknown-category`.
 */
export function assertAskable({ from, to, categories = [] }: Asked): void {
  for (const month of [from, to]) {
    if (month !== undefined && !/^\d{4}-\d\d$/.test(month)) {
      throw new ConcordatError('bad-period', 'write --from and --to as months, YYYY-MM');
    }
  }
  const [first, last] = [from ?? to, to ?? from];
  if (first !== undefined) monthsOf(`${first}/${last}`);
  const known = new Set<string>(CATEGORIES);
  if (categories.some((category) => !known.has(category))) {
    throw new ConcordatError(
      'unknown-category',
      `--categories takes names out of ${CATEGORIES.join(', ')}`,
    );
  }
}

/**
 * The demo's question. With own data: every category present in the last twelve months present, unless told otherwise; with
 * the samples: `samples/question.yaml`. Throws `no-data`, `bad-period`.
 */
export function demoQuestion(
  held: readonly Held[],
  options: Asked & { readonly ownData: boolean; readonly sealed: boolean },
): Question {
  const sample = SampleQuestion.parse(
    parse(readFileSync(join(ROOT, 'samples/question.yaml'), 'utf8')),
  );
  const months = unique(held.map((agency) => agency.months));
  if (months.length === 0) {
    throw new ConcordatError(
      'no-data',
      'no file could be read: see the reasons above, mend the files and run again',
    );
  }
  const present = unique(held.map((agency) => agency.categories));
  const last = months.slice(-DEFAULT_MONTHS);
  const from = options.from ?? (options.ownData ? undefined : sample.from);
  const to = options.to ?? (options.ownData ? undefined : sample.to);
  const periods =
    from === undefined && to === undefined
      ? last
      : monthsOf(`${from ?? months[0]}/${to ?? months.at(-1)}`);
  return {
    categories: [...(options.categories ?? (options.ownData ? present : sample.categories))],
    periods: [...periods],
    resolution: sample.resolution,
    rho: sample.rho,
    purpose: sample.purpose,
    ...(options.sealed ? { sealed: true as const } : {}),
  };
}
