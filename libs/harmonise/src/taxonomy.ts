/** A taxonomy: the common categories and the labels that agencies write for them (policies/taxonomy/*.yaml). */

import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { parseDocument } from './document.js';

const Name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'use lower-case letters, digits, hyphens');

const TaxonomyDocument = z.strictObject({
  taxonomy: Name,
  categories: z
    .array(
      z.strictObject({
        id: Name,
        title: z.string().min(1),
        labels: z.array(z.string().min(1)).min(1),
      }),
    )
    .min(1)
    .max(200),
});

export interface Taxonomy {
  readonly id: string;
  /** Category ids in document order; a category's number is its index here. */
  readonly categories: readonly string[];
  readonly titles: readonly string[];
  /** `foldLabel(label)` to category number. */
  readonly labels: ReadonlyMap<string, number>;
}

/** One spelling for labels that differ in case, spacing, hyphens, underscores or "&" only. */
export const foldLabel = (label: string): string =>
  label
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('&', ' and ')
    .replace(/[\s_\-\u2010-\u2015]+/g, ' ')
    .trim();

/** Reads a taxonomy from YAML. Refuses (`bad-taxonomy`) unknown keys, a category twice, one label for two categories. */
export function parseTaxonomy(text: string): Taxonomy {
  const document = parseDocument(TaxonomyDocument, text, 'bad-taxonomy');
  const labels = new Map<string, number>();
  const categories = document.categories.map((category) => category.id);
  if (new Set(categories).size !== categories.length) {
    throw new ConcordatError('bad-taxonomy', 'categories: an id stands twice');
  }
  document.categories.forEach((category, number) => {
    for (const label of [category.id, ...category.labels].map(foldLabel)) {
      if ((labels.get(label) ?? number) !== number) {
        throw new ConcordatError(
          'bad-taxonomy',
          `categories.${number}.labels: a label of another category too`,
        );
      }
      labels.set(label, number);
    }
  });
  return {
    id: document.taxonomy,
    categories,
    titles: document.categories.map((category) => category.title),
    labels,
  };
}

/** Category ids to their ascending numbers; an id the taxonomy lacks is `unknown-category`. */
export const categoryNumbers = (taxonomy: Taxonomy, ids: readonly string[]): number[] =>
  [...new Set(ids)]
    .map((id) => {
      const number = taxonomy.categories.indexOf(id);
      if (number >= 0) return number;
      throw new ConcordatError(
        'unknown-category',
        `a category is not in taxonomy ${taxonomy.id}; it has: ${taxonomy.categories.join(', ')}`,
      );
    })
    .sort((a, b) => a - b);
