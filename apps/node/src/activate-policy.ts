import type { Node } from './node.js';

/** A signed policy takes effect only once its digest is in the log; one that is active already needs no second entry. */
export async function activatePolicy(node: Node): Promise<void> {
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
