/**
 * How a node answers one question. The order is the safety argument: the question is checked and logged, the policy decides, the
 * budget is reserved durably, noise is drawn before a count is read, and the release is durable in the log before it may be sent.
 */
import { canonicalJson, isConcordatError } from '#libs/bytes';
import { formatRational } from '#libs/dp';
import type { KnownAnalyst } from '#libs/identity';
import {
  abandon,
  answerFor,
  ledgerView,
  type Reservation,
  reservationFor,
  reserve,
} from '#libs/ledger';
import { type Decision, decide } from '#libs/policy';
import type { Task } from '#libs/protocol';
import {
  accountingYears,
  groupsOf,
  isWeek,
  monthsOf,
  type Query,
  type QueryGroup,
} from '#libs/query';
import type { DatasetVersion } from '#libs/records';
import { answerPrivacy } from './answer-privacy.js';
import { heldVersion } from './held-version.js';
import { answerLinked, type FindLabelled, type Payable } from './linkage/answer-linked.js';
import type { Node } from './node.js';
import type { Outcome } from './outcome.js';
import { type ReleasePlan, release } from './release.js';
import { newestHold, standingOf } from './requests/hold-book.js';
import { about, checkTask } from './task.js';

const refused = (code: string, constraint: string | null = null): Outcome => ({
  status: 'refused',
  refused: { code, constraint },
});

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
  const finishOrPay = async (plan: Payable): Promise<Reservation | Outcome> =>
    unfinished(plan, node) ?? (await pay(plan, node, analyst));
  if (query.linkage) return answerLinked(task, query.linkage, node, findLabelled, finishOrPay);

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
  // what was made to be sealed is never shown open, whatever the coordinator calls the round now
  if (earlier?.entry.sealed && !task.sealed) return refused('answered-sealed');
  if (earlier) return { status: 'answered', answer: { ...described, ...earlier } };
  const logged = await finishOrPay(plan);
  if ('status' in logged) return logged;
  return { status: 'answered', answer: { ...described, ...(await release(plan, logged, node)) } };
}

/**
 * The reservation of an earlier attempt whose process died before it released. That spend is used, and no noise of it ever left, so it
 * is finished and not decided again; unless the policy changed or a person refused meanwhile.
 */
function unfinished({ task, versionDigest }: Payable, node: Node): Reservation | undefined {
  const paid = reservationFor(node.ledger, task.fingerprint, versionDigest);
  const isDenied = newestHold(node.holds, task.fingerprint)?.state === 'denied';
  return paid?.entry.policyDigest === node.policyDigest && !isDenied ? paid : undefined;
}

/** Policy, person, budget, in this order: a durable reservation, or why there is none. */
async function pay(
  { task, dataset, versionDigest, groups, residents }: Payable,
  node: Node,
  analyst: KnownAnalyst,
): Promise<Reservation | Outcome> {
  const { query } = task;
  const now = new Date(node.nowMs()).toISOString();
  const categories = [...new Set(groups.map(({ category }) => category))].sort();
  const periods = [...new Set(groups.map(({ period }) => period))].sort();
  const decision = decide({
    policies: node.policies,
    dataset,
    // the sides of a linked count may name categories of the other agency
    query: query.linkage ? query : { ...query, categories, periods },
    analyst: { id: analyst.id, roles: [...analyst.roles] },
    agency: {
      id: node.agency.id,
      categories: node.agency.categories,
      gridHash: node.manifest.grid.hash,
      ...(residents === undefined ? {} : { smallestPopulation: { [query.resolution]: residents } }),
    },
    ledger: ledgerView(node.ledger, { analyst: analyst.id, at: now }),
    now,
  });
  if (decision.decision === 'refuse') return refused(decision.code, decision.constraint);
  if (decision.decision === 'hold') {
    const wait = await waitForPerson(task, node, decision);
    if (wait) return wait;
  }
  const paid = reserve(node.ledger, {
    ...about(task, node),
    dataset,
    years: accountingYears(periods),
    versionDigest,
    analyst: analyst.id,
    rho: query.rho,
    grant: decision.grant,
    policyDigest: node.policyDigest,
  });
  if (paid.ok) {
    try {
      return { index: await node.append(paid.entry), entry: paid.entry };
    } catch (error) {
      // The journal has cut the refused entry off again: it is not in the log, so the spend did not happen.
      if (isConcordatError(error, 'log-unavailable')) abandon(node.ledger, paid.entry);
      throw error;
    }
  }
  if (paid.index === undefined || paid.entry === undefined) return refused(paid.code);
  return { index: paid.index, entry: paid.entry };
}

/** What a question meets whose grant says `hold`: undefined when a person has agreed, else the outcome of this asking. */
async function waitForPerson(
  task: Task,
  node: Node,
  { grant, holdHours, approvers }: Extract<Decision, { decision: 'hold' }>,
): Promise<Outcome | undefined> {
  const nowMs = node.nowMs();
  const found = standingOf(node.holds, {
    fingerprint: task.fingerprint,
    round: task.round,
    grant,
    policyDigest: node.policyDigest,
    now: new Date(nowMs).toISOString(),
  });
  if (found.standing === 'approved') return undefined;
  if (found.standing === 'denied') return refused('denied-by-person', `grants.${grant}.approval`);
  if (found.standing === 'expired') return refused('hold-expired', `grants.${grant}.holdHours`);
  if (found.standing === 'waiting') return { status: 'held', until: found.hold.held.expiresAt };
  const expiresAt = new Date(nowMs + holdHours * 3_600_000).toISOString();
  await node.append({
    kind: 'query.held',
    verb: 'consultation',
    ...about(task, node),
    round: task.round,
    grant,
    policyDigest: node.policyDigest,
    approvers,
    expiresAt,
  });
  node.logger.info({ round: task.round, grant }, 'held for a person; see: concordat node requests');
  return { status: 'held', until: expiresAt };
}
