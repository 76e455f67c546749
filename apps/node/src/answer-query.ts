/**
 * How a node answers one question. The order is the safety argument: the question is checked and logged, the policy decides, the
 * budget is reserved durably, noise is drawn before a count is read, and the release is durable in the log before it may be sent.
 */
import { isConcordatError } from '#libs/bytes';
import {
  addNoise,
  discreteGaussian,
  drawTreeNoise,
  type ExactCounts,
  exactCounts,
  formatRational,
  type Resolution,
} from '#libs/dp';
import { type GridTree, rollUp } from '#libs/grid';
import { verifySignature } from '#libs/keystore';
import { answerFor, ledgerView, reserve } from '#libs/ledger';
import { decide } from '#libs/policy';
import { Assertion, openEnvelope, type Task } from '#libs/protocol';
import {
  accountingYears,
  fingerprint,
  groupsOf,
  monthsOf,
  type Query,
  type QueryGroup,
} from '#libs/query';
import type { EntryOf } from '#libs/tlog';
import { answerPrivacy } from './answer-privacy.js';
import { heldVersion } from './held-version.js';
import type { Node } from './node.js';

/** One accepted answer: what `receipt.ts` writes the receipt from. */
export interface Answer {
  readonly groups: readonly QueryGroup[];
  readonly levelVariances: readonly string[];
  /** Index in the log of the `release.made` entry, and the entry. */
  readonly index: bigint;
  readonly entry: EntryOf<'release.made'>;
}

interface Refused {
  readonly code: string;
  readonly constraint: string | null;
}

export type Outcome =
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: false; readonly refused: Refused };

const refused = (code: string, constraint: string | null = null): Outcome => ({
  ok: false,
  refused: { code, constraint },
});

/** Part of a question that this agency can answer: the categories it records and the periods it holds whole. */
function answerable(
  query: Query,
  categories: readonly string[],
  monthsHeld: readonly string[],
): readonly QueryGroup[] {
  const held = new Set(monthsHeld);
  return groupsOf(query).filter(
    ({ category, period }) =>
      categories.includes(category) && monthsOf(period).every((month) => held.has(month)),
  );
}

/** Faults of a task that no policy needs to see, or undefined. */
function taskFault(task: Task, node: Node): string | undefined {
  if (task.agency !== node.agency.id) return 'wrong-agency';
  if (task.manifest !== node.manifestHash) return 'wrong-manifest';
  if (task.query.grid !== node.manifest.grid.name) return 'wrong-grid';
  if (task.query.gridHash !== node.manifest.grid.hash) return 'wrong-grid';
  if (fingerprint(task.query) !== task.fingerprint) return 'wrong-fingerprint';
  if (task.query.agencies && !task.query.agencies.includes(node.agency.id)) return 'not-asked';
  const { analyst, fingerprint: asserted, manifest } = task.assertion.payload;
  const known = node.manifest.analysts.find(({ id }) => id === analyst);
  if (!known) return 'unknown-analyst';
  if (asserted !== task.fingerprint || manifest !== task.manifest) return 'wrong-assertion';
  try {
    openEnvelope('assertion', Assertion, task.assertion, known.publicKey, verifySignature);
  } catch (error) {
    if (isConcordatError(error)) return error.code;
    throw error;
  }
  return undefined;
}

/** Facts that every entry about this task repeats (DPA 2018 s.62: who, to whom, why, when). */
const about = (task: Task, node: Node) => ({
  at: new Date(node.nowMs()).toISOString(),
  actor: node.agency.id,
  recipient: node.manifest.coordinator.id,
  purpose: task.query.purpose,
  fingerprint: task.fingerprint,
});

/** Answers a task whose signature was checked. Throws only for faults of the machine (log, disk, database). */
export async function answerQuery(task: Task, node: Node): Promise<Outcome> {
  const { query } = task;
  const analyst = task.assertion.payload.analyst;
  await node.append({
    kind: 'query.received',
    verb: 'consultation',
    ...about(task, node),
    round: task.round,
    analyst,
    query: JSON.stringify(query),
  });
  const outcome = await decideAndAnswer(task, node);
  if (!outcome.ok) {
    const { code, constraint } = outcome.refused;
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

async function decideAndAnswer(task: Task, node: Node): Promise<Outcome> {
  const { query } = task;
  const fault = taskFault(task, node);
  if (fault !== undefined) return refused(fault);

  const dataset = node.config.dataset.name;
  const version = await heldVersion(node.records, dataset);
  if (!version) return refused('no-data');
  const groups = answerable(query, node.agency.categories, version.months);
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
  const described = {
    groups,
    levelVariances: privacy.levels.map(({ sigma2 }) => formatRational(sigma2)),
  };
  if (earlier) return { ok: true, answer: { ...described, ...earlier } };

  const now = new Date(node.nowMs()).toISOString();
  const categories = [...new Set(groups.map(({ category }) => category))];
  const periods = [...new Set(groups.map(({ period }) => period))].sort();
  const analyst = task.assertion.payload.analyst;
  const decision = decide({
    policies: node.policies,
    dataset,
    query: { ...query, categories: categories.sort(), periods },
    analyst: {
      id: analyst,
      roles: node.manifest.analysts.find(({ id }) => id === analyst)?.roles ?? [],
    },
    agency: {
      id: node.agency.id,
      categories: node.agency.categories,
      gridHash: node.manifest.grid.hash,
    },
    ledger: ledgerView(node.ledger, { analyst, at: now }),
    now,
  });
  if (decision.decision === 'refuse') return refused(decision.code, decision.constraint);
  if (decision.decision === 'hold') return refused('approval-needed', decision.grant);

  const paid = reserve(node.ledger, {
    ...about(task, node),
    dataset,
    years: accountingYears(periods),
    versionDigest: version.digest,
    analyst,
    rho: query.rho,
    grant: decision.grant,
    policyDigest: node.policyDigest,
  });
  // An earlier attempt paid and its process died before it released: that spend is used, and no noise of it ever left.
  const logged = paid.ok
    ? { index: await node.append(paid.entry), entry: paid.entry }
    : { index: paid.index, entry: paid.entry };
  if (logged.index === undefined || logged.entry === undefined) {
    return refused(paid.ok ? 'internal' : paid.code);
  }

  const tree = node.tree(query.resolution as Resolution);
  const levels = privacy.levels.map(({ sigma2 }, level) => ({
    nodes: (tree.levelStart[level + 1] as number) - (tree.levelStart[level] as number),
    sampler: discreteGaussian({ sigma2 }),
  }));
  const noise = drawTreeNoise(levels, groups.length, node.random);
  const leaves = tree.cells.subarray(tree.levelStart[levels.length - 1] as number);
  const counts = await node.records.count({
    dataset,
    version: version.digest,
    measure: query.measure,
    groups,
    bounds: { perMonth: privacy.unit.maxPerRelease, perYear: privacy.unit.maxPerYear },
    leaves,
    resolution: query.resolution as Resolution,
  });
  const noisy = addNoise(treeCounts(tree, counts, groups.length), noise);
  const valueDigest = await node.blobs.put(
    new Uint8Array(noisy.buffer, noisy.byteOffset, noisy.byteLength),
  );
  const entry: EntryOf<'release.made'> = {
    kind: 'release.made',
    verb: 'disclosure',
    ...about(task, node),
    versionDigest: version.digest,
    dataset,
    rho: logged.entry.rho,
    grant: logged.entry.grant,
    policyDigest: logged.entry.policyDigest,
    valueDigest,
    blob: valueDigest,
    mechanism: 'discrete-gaussian',
    privacy: privacy.unit,
    reservation: String(logged.index),
  };
  const index = await node.append(entry);
  return { ok: true, answer: { ...described, index, entry } };
}

/** Counts of every node, group after group, from leaf counts (groups x leaves). */
function treeCounts(tree: GridTree, leafCounts: ExactCounts, groups: number): ExactCounts {
  const leaves = leafCounts.length / groups;
  const counts = new Int32Array(groups * tree.nodeCount);
  for (let g = 0; g < groups; g++) {
    counts.set(rollUp(tree, leafCounts.subarray(g * leaves, (g + 1) * leaves)), g * tree.nodeCount);
  }
  return exactCounts(counts);
}
