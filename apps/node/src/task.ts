/** What is checked of a task before any policy sees it, and what every log entry about it repeats. */
import { isConcordatError } from '#libs/bytes';
import { type KnownAnalyst, openAssertion } from '#libs/identity';
import { verifySignature } from '#libs/keystore';
import { identityProviderDigest, isDemoProvider, isLoopbackHost, type Task } from '#libs/protocol';
import { fingerprint } from '#libs/query';
import type { Node } from './node.js';

/** Who asks a task that is as it must be, or what is wrong with it that no policy needs to see. */
export async function checkTask(
  task: Task,
  node: Node,
): Promise<{ readonly analyst: KnownAnalyst } | { readonly fault: string }> {
  const fault = taskFault(task, node);
  if (fault !== undefined) return { fault };
  try {
    const { analyst } = await openAssertion(task.assertion, node.manifest, verifySignature);
    return { analyst };
  } catch (error) {
    if (isConcordatError(error)) return { fault: error.code };
    throw error;
  }
}

function taskFault(task: Task, node: Node): string | undefined {
  if (task.agency !== node.agency.id) return 'wrong-agency';
  // A round keeps the manifest it was opened under; who may ask is what the present one says.
  if (!node.pinned.named(task.manifest)) return 'wrong-manifest';
  if (task.query.grid !== node.manifest.grid.name) return 'wrong-grid';
  if (task.query.gridHash !== node.manifest.grid.hash) return 'wrong-grid';
  if (fingerprint(task.query) !== task.fingerprint) return 'wrong-fingerprint';
  if (task.query.sealed && !task.sealed) return 'unsealed-task';
  if (task.sealed && node.auditorUrl === undefined) return 'no-auditor-address';
  if (task.query.agencies && !task.query.agencies.includes(node.agency.id)) return 'not-asked';
  const { fingerprint: asserted, manifest } = task.assertion.payload;
  if (asserted !== task.fingerprint || manifest !== task.manifest) return 'wrong-assertion';
  return identityFault(task, node);
}

/** What this agency itself asks of those who ask, whatever the manifest says. */
function identityFault({ assertion }: Task, { config, manifest }: Node): string | undefined {
  const hasSignedIn = assertion.payload.identity !== undefined;
  if (config.identityProvider !== undefined && !hasSignedIn) return 'identity-required';
  const provider = manifest.identityProvider;
  if (!hasSignedIn || !provider) return undefined;
  const pinned = config.identityProvider ?? identityProviderDigest(provider);
  if (pinned !== identityProviderDigest(provider)) return 'identity-provider-not-pinned';
  const isHere = isLoopbackHost(new URL(config.coordinator?.url ?? 'http://127.0.0.1').hostname);
  return isDemoProvider(provider) && !isHere ? 'demo-identity-exposed' : undefined;
}

/** Facts that every entry about this task repeats (DPA 2018 s.62: who, to whom, why, when). */
export const about = (task: Task, node: Node) => ({
  at: new Date(node.nowMs()).toISOString(),
  actor: node.agency.id,
  recipient: node.manifest.coordinator.id,
  purpose: task.query.purpose,
  fingerprint: task.fingerprint,
});
