/** Whom a question is for, and whether anybody may see one answer of theirs: both follow from question and manifest alone. */
import { ConcordatError } from '#libs/bytes';
import { type Manifest, SEALED_QUORUM } from '#libs/protocol';
import type { Query } from '#libs/query';
import type { Federation } from '../federation/federation.js';

/** A linked count needs both sides: one that records nothing of what it is asked for would make the other pay for no number. */
function assertBothConcerned({ linkage, categories }: Query, { agencies }: Manifest): void {
  if (!linkage) return;
  for (const side of [linkage.left, linkage.right]) {
    const wanted = side.categories ?? categories;
    const recorded = agencies.find(({ id }) => id === side.agency)?.categories ?? [];
    if (!wanted.some((category) => recorded.includes(category))) {
      throw new ConcordatError(
        'nothing-held',
        `${side.agency} records none of the categories that it is asked for: nothing was asked, nothing spent`,
      );
    }
  }
}

/**
 * Agencies that record any of the categories, or those of them that the query names. Throws `unknown-agency` and `no-agency-concerned`.
 */
export function agenciesConcerned(query: Query, manifest: Manifest): string[] {
  const unknown = query.agencies?.find(
    (id) => !manifest.agencies.some((agency) => agency.id === id),
  );
  if (unknown !== undefined) {
    throw new ConcordatError(
      'unknown-agency',
      'the query names an agency that is not in the manifest',
    );
  }
  assertBothConcerned(query, manifest);
  const concerned = manifest.agencies
    .filter(({ id }) => query.agencies?.includes(id) ?? true)
    .filter(({ categories }) => query.categories.some((category) => categories.includes(category)))
    .map(({ id }) => id);
  if (concerned.length === 0) {
    throw new ConcordatError(
      'no-agency-concerned',
      'no agency asked records any of these categories',
    );
  }
  return concerned;
}

/**
 * Whether nobody may see a single answer: where the query says so, or some cell has two agencies that record the same category and there
 * are enough to be asked that a sum can hide one. Throws `too-few-contributors` for a query that says so to fewer, before anyone spends.
 */
export function isSealed(query: Query, asked: readonly string[], federation: Federation): boolean {
  const isEnough = asked.length >= SEALED_QUORUM;
  if (query.sealed && !isEnough) {
    throw new ConcordatError(
      'too-few-contributors',
      `a sealed question is for ${SEALED_QUORUM} agencies or more`,
    );
  }
  if (query.sealed) return true;
  if (!isEnough || query.measure === 'linked-people') return false;
  const agencies = federation.manifest.agencies.filter(({ id }) => asked.includes(id));
  return query.categories.some((category) =>
    federation.overlap(agencies.filter(({ categories }) => categories.includes(category))),
  );
}
