/**
 * What stands before every answer, also before one that is in the log already: the policy in force, the person whom it may ask, and the
 * budget, in this order.
 */
import { isConcordatError } from '#libs/bytes';
import type { KnownAnalyst } from '#libs/identity';
import {
  abandon,
  answerFor,
  ledgerView,
  type Reservation,
  reservationFor,
  reserve,
} from '#libs/ledger';
import { type Decision, decide, decidePaid, type PaidRequest } from '#libs/policy';
import { accountingYears } from '#libs/query';
import type { Node } from './node.js';
import { type Outcome, refused } from './outcome.js';
import type { Released, ReleasePlan } from './release.js';
import { newestHold, standingOf } from './requests/hold-book.js';
import { about } from './task.js';

/** What a question costs and of what it is, as policy and ledger see it. */
export type Payable = Pick<ReleasePlan, 'task' | 'dataset' | 'versionDigest' | 'groups'> & {
  /** Public residents of the least populated area asked, where that is known. */
  readonly residents?: number | undefined;
};

/** The answer of an earlier asking, a durable reservation to make one from, or why there is neither. */
export type Admission =
  | { readonly answered: Released }
  | { readonly reserved: Reservation }
  | { readonly outcome: Outcome };

/**
 * Decides whether this analyst may have an answer now, and pays for one that nobody paid for. The policy in force decides every time:
 * a grant that was withdrawn, or has run out, also keeps what it once allowed, and the spend stays spent. Only what is left of budgets
 * is not asked again, for the logged answer, or finishing what was reserved before this process died, costs nothing.
 */
export async function admit(plan: Payable, node: Node, analyst: KnownAnalyst): Promise<Admission> {
  const { fingerprint } = plan.task;
  const request = requestFor(plan, node, analyst);
  const answered = answerFor(node.ledger, fingerprint, plan.versionDigest);
  // of an attempt whose process died before it released: no noise of it ever left
  const reserved = reservationFor(node.ledger, fingerprint, plan.versionDigest);
  const isPaid = answered !== undefined || reserved !== undefined;
  const decision = isPaid
    ? decidePaid(request)
    : decide({
        ...request,
        ledger: ledgerView(node.ledger, { analyst: analyst.id, at: request.now }),
      });
  if (decision.decision === 'refuse') {
    return { outcome: refused(decision.code, decision.constraint) };
  }
  if (decision.decision === 'hold' && !(answered && wasApproved(plan, node, analyst, decision))) {
    const wait = await waitForPerson(plan, node, decision);
    if (wait) return { outcome: wait };
  }
  if (answered) return { answered };
  if (reserved) return { reserved };
  return pay(plan, node, analyst, decision.grant);
}

function requestFor(
  { task, dataset, groups, residents }: Payable,
  node: Node,
  analyst: KnownAnalyst,
): PaidRequest & { readonly now: string } {
  const { query } = task;
  const { agency, policies, manifest } = node;
  const categories = [...new Set(groups.map(({ category }) => category))].sort();
  return {
    policies,
    dataset,
    // the sides of a linked count may name categories of the other agency
    query: query.linkage ? query : { ...query, categories, periods: periodsOf(groups) },
    analyst: { id: analyst.id, roles: [...analyst.roles] },
    agency: {
      id: agency.id,
      categories: agency.categories,
      gridHash: manifest.grid.hash,
      ...(residents === undefined ? {} : { smallestPopulation: { [query.resolution]: residents } }),
    },
    now: new Date(node.nowMs()).toISOString(),
  };
}

const periodsOf = (groups: Payable['groups']): string[] =>
  [...new Set(groups.map(({ period }) => period))].sort();

/** A durable reservation, or why the ledger has none to give. */
async function pay(
  { task, dataset, versionDigest, groups }: Payable,
  node: Node,
  analyst: KnownAnalyst,
  grant: string,
): Promise<Admission> {
  const paid = reserve(node.ledger, {
    ...about(task, node),
    dataset,
    years: accountingYears(periodsOf(groups)),
    versionDigest,
    analyst: analyst.id,
    rho: task.query.rho,
    grant,
    policyDigest: node.policyDigest,
  });
  if (!paid.ok) return { outcome: refused(paid.code) };
  try {
    return { reserved: { index: await node.append(paid.entry), entry: paid.entry } };
  } catch (error) {
    // The journal has cut the refused entry off again: it is not in the log, so the spend did not happen.
    if (isConcordatError(error, 'log-unavailable')) abandon(node.ledger, paid.entry);
    throw error;
  }
}

type Held = Extract<Decision, { decision: 'hold' }>;

/** Whether a person agreed, under this policy and grant, that this analyst has the answer that was made then. */
function wasApproved({ task }: Payable, node: Node, analyst: KnownAnalyst, { grant }: Held) {
  const hold = newestHold(node.holds, task.fingerprint);
  return (
    hold?.state === 'answered' &&
    hold.analyst === analyst.id &&
    hold.held.grant === grant &&
    hold.held.policyDigest === node.policyDigest
  );
}

/** What a question meets whose grant says `hold`: undefined when a person has agreed, else the outcome of this asking. */
async function waitForPerson(
  { task }: Payable,
  node: Node,
  { grant, holdHours, approvers }: Held,
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
