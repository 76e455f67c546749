/** What is checked of a task before any policy sees it, and what every log entry about it repeats. */
import { isConcordatError } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import { Assertion, openEnvelope, type Task } from '#libs/protocol';
import { fingerprint } from '#libs/query';
import type { Node } from './node.js';

/** Faults of a task that no policy needs to see, or undefined. */
export function taskFault(task: Task, node: Node): string | undefined {
  if (task.agency !== node.agency.id) return 'wrong-agency';
  // A round keeps the manifest it was opened under; who may ask is what the present one says.
  if (!node.pinned.named(task.manifest)) return 'wrong-manifest';
  if (task.query.grid !== node.manifest.grid.name) return 'wrong-grid';
  if (task.query.gridHash !== node.manifest.grid.hash) return 'wrong-grid';
  if (fingerprint(task.query) !== task.fingerprint) return 'wrong-fingerprint';
  if (task.query.sealed && !task.sealed) return 'unsealed-task';
  if (task.sealed && node.auditorUrl === undefined) return 'no-auditor-address';
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
export const about = (task: Task, node: Node) => ({
  at: new Date(node.nowMs()).toISOString(),
  actor: node.agency.id,
  recipient: node.manifest.coordinator.id,
  purpose: task.query.purpose,
  fingerprint: task.fingerprint,
});
