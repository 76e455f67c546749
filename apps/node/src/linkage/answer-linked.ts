/**
 * How a node answers a question about linked people: by the same policy, person, ledger and log as any other. Its people are frozen for
 * the epoch, so the same question has the same answer for as long as there is one.
 */

import { isConcordatError } from '#libs/bytes';
import { formatRational, multiplyRational, rational } from '#libs/dp';
import { residentsAsked } from '#libs/linkage-party';
import type { Task } from '#libs/protocol';
import { groupsOf, type LinkedPeople, type Query } from '#libs/query';
import type { EntryOf } from '#libs/tlog';
import type { Admission, Payable } from '../admit-question.js';
import type { Node } from '../node.js';
import { type Outcome, refused } from '../outcome.js';
import { about } from '../task.js';
import type { Labelled } from './labelling.js';
import { linkedAnswer, linkedNoise } from './linked-sets.js';
import { PEOPLE_DATASET } from './people.js';

/** Finds what an epoch can be counted from. */
export type FindLabelled = (linkage: LinkedPeople) => Labelled | undefined;

/** A person counts once in every number, however often they are known. */
const UNIT = { unit: 'person-year', maxPerRelease: 1, maxPerYear: 1 } as const;

/** Not above the variance of one node's discrete Laplace noise of scale b, which is below 2 b^2. */
const linkedVariance = (query: Query): string => {
  const { scale } = linkedNoise(query);
  return formatRational(multiplyRational(rational(2n), multiplyRational(scale, scale)));
};

/** `admit` decides and reserves, or finds what was answered or reserved before (`admit-question.ts`). */
export async function answerLinked(
  task: Task,
  linkage: LinkedPeople,
  node: Node,
  find: FindLabelled,
  admit: (plan: Payable) => Promise<Admission>,
): Promise<Outcome> {
  let residents: number | undefined;
  try {
    residents = residentsAsked(task.query.linkage);
  } catch (error) {
    const isAreaRefused =
      isConcordatError(error, 'area-below-floor') || isConcordatError(error, 'area-not-covered');
    if (!isAreaRefused) throw error;
    return refused(error.code, 'linkage.area');
  }
  const labelled = find(linkage);
  if (!labelled) return refused('linkage-not-labelled', 'linkage.epoch');
  const { project, side, versionDigest } = labelled;
  if (linkage.left.agency !== project.left || linkage.right.agency !== project.right) {
    return refused('other-project', 'linkage.project');
  }
  const wanted = linkage[side].categories ?? task.query.categories;
  const groups = groupsOf(task.query).filter(
    ({ category }) => wanted.includes(category) && node.agency.categories.includes(category),
  );
  if (groups.length === 0) return refused('nothing-held', 'query.categories');
  const described = { groups, levelVariances: [linkedVariance(task.query)] };
  const admission = await admit({
    task,
    dataset: PEOPLE_DATASET,
    versionDigest,
    groups,
    residents,
  });
  if ('outcome' in admission) return admission.outcome;
  if ('answered' in admission) {
    return { status: 'answered', answer: { ...described, ...admission.answered } };
  }
  const { reserved } = admission;
  const valueDigest = await node.blobs.put(await linkedAnswer(task, linkage, labelled, node));
  const entry: EntryOf<'release.made'> = {
    kind: 'release.made',
    verb: 'disclosure',
    ...about(task, node),
    versionDigest,
    dataset: PEOPLE_DATASET,
    rho: reserved.entry.rho,
    grant: reserved.entry.grant,
    policyDigest: reserved.entry.policyDigest,
    valueDigest,
    blob: valueDigest,
    mechanism: 'discrete-laplace',
    privacy: UNIT,
    reservation: String(reserved.index),
  };
  const index = await node.append(entry);
  return { status: 'answered', answer: { ...described, index, entry } };
}
