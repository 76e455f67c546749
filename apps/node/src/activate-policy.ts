import { encodePolicySet } from '#libs/policy';
import type { Node } from './node.js';

/**
 * A signed policy takes effect only once its digest is in the log, and then lies under that digest among the blobs for ever, so
 * that whoever reads the log later has the policy too. One that is active already needs no second entry.
 */
export async function activatePolicy(node: Node): Promise<void> {
  await node.blobs.put(encodePolicySet(node.policies));
  if (node.ledger.policy?.policyDigest === node.policyDigest) return;
  const { limits } = node.policies.agency;
  await node.append({
    kind: 'policy.activated',
    at: new Date(node.nowMs()).toISOString(),
    actor: node.agency.id,
    agency: node.agency.id,
    policyDigest: node.policyDigest,
    limits: {
      datasets: Object.fromEntries(
        Object.entries(limits.datasets).map(([dataset, { rhoPerYear }]) => [
          dataset,
          { rhoPerYear },
        ]),
      ),
      analysts: limits.analysts,
    },
  });
}
