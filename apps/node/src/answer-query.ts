/**
 * How a node answers one question. The order is the safety argument: the question is checked and logged, the policy decides (also
 * where the answer is in the log already), the budget is reserved durably, noise is drawn before a count is read, and the release is
 * durable in the log before it may be sent.
 */
import { canonicalJson } from '#libs/bytes';
import { formatRational } from '#libs/dp';
import { answerFor } from '#libs/ledger';
import type { Task } from '#libs/protocol';
import { groupsOf, isWeek, monthsOf, type Query, type QueryGroup } from '#libs/query';
import type { DatasetVersion } from '#libs/records';
import { admit, type Payable } from './admit-question.js';
import { answerPrivacy } from './answer-privacy.js';
import { heldVersion } from './held-version.js';
import { answerLinked, type FindLabelled } from './linkage/answer-linked.js';
import type { Node } from './node.js';
import { type Outcome, refused } from './outcome.js';
import { type ReleasePlan, release } from './release.js';
import { about, checkTask } from './task.js';

/** Part of a question that this agency can answer: the categories it records and the periods it holds whole. */
function answerable(
  query: Query,
  categories: readonly string[],
  { months, weeks }: Pick<DatasetVersion, 'months' | 'weeks'>,
): readonly QueryGroup[] {
  const held = new Set([...months, ...weeks]);
  const isHeld = (period: string): boolean =>
    isWeek(period) ? held.has(period) : monthsOf(period).every((month) => held.has(month));
  return groupsOf(query).filter(
    ({ category, period }) => categories.includes(category) && isHeld(period),
  );
}

/**
 * Answers a task whose signature was checked. A task may come again (the coordinator was out of reach, this process was killed, a
 * person decided): its question is logged as received once, and so is the same refusal of it. Throws only for faults of the
 * machine (log, disk, database); then nothing was answered, and the same call may succeed later.
 */
export function answerQuery(
  task: Task,
  node: Node,
  findLabelled: FindLabelled = () => undefined,
): Promise<Outcome> {
  return node.inTurn(task.fingerprint, () => receiveAndAnswer(task, node, findLabelled));
}

async function receiveAndAnswer(
  task: Task,
  node: Node,
  findLabelled: FindLabelled,
): Promise<Outcome> {
  const { query } = task;
  const analyst = task.assertion.payload.analyst;
  if (!node.holds.received.has(task.round)) {
    await node.append({
      kind: 'query.received',
      verb: 'consultation',
      ...about(task, node),
      round: task.round,
      analyst,
      query: canonicalJson(query),
    });
  }
  const outcome = await decideAndAnswer(task, node, findLabelled);
  if (outcome.status === 'refused') {
    const { code, constraint } = outcome.refused;
    if (node.holds.received.get(task.round)?.refusedWith === code) return outcome;
    await node.append({
      kind: 'query.refused',
      verb: 'consultation',
      ...about(task, node),
      round: task.round,
      code,
      ...(constraint === null ? {} : { constraint }),
      policyDigest: node.policyDigest,
    });
  }
  return outcome;
}

async function decideAndAnswer(
  task: Task,
  node: Node,
  findLabelled: FindLabelled,
): Promise<Outcome> {
  const { query } = task;
  const checked = await checkTask(task, node);
  if ('fault' in checked) return refused(checked.fault);
  const { analyst } = checked;
  const admitted = (plan: Payable) => admit(plan, node, analyst);
  if (query.linkage) return answerLinked(task, query.linkage, node, findLabelled, admitted);

  const dataset = node.config.dataset.name;
  const version = await heldVersion(node.records, dataset);
  if (!version) return refused('no-data');
  if (version.weeks.length === 0 && query.periods.some(isWeek)) {
    return refused('days-not-held', 'periods');
  }
  const groups = answerable(query, node.agency.categories, version);
  if (groups.length === 0) return refused('period-not-held', 'periods');

  const earlier = answerFor(node.ledger, task.fingerprint, version.digest);
  const privacy = answerPrivacy(
    query,
    groups,
    version,
    node.policies,
    dataset,
    earlier?.entry.privacy,
  );
  if (!privacy.ok) return refused(privacy.code, privacy.constraint);
  const plan: ReleasePlan = { task, dataset, versionDigest: version.digest, groups, privacy };
  const described = {
    groups,
    levelVariances: privacy.levels.map(({ sigma2 }) => formatRational(sigma2)),
  };
  const admission = await admitted(plan);
  if ('outcome' in admission) return admission.outcome;
  if ('reserved' in admission) {
    const made = await release(plan, admission.reserved, node);
    return { status: 'answered', answer: { ...described, ...made } };
  }
  // what was made to be sealed is never shown open, whatever the coordinator calls the round now
  if (admission.answered.entry.sealed && !task.sealed) return refused('answered-sealed');
  return { status: 'answered', answer: { ...described, ...admission.answered } };
}
