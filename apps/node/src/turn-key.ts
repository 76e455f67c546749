import type { nodePaths } from './config.js';
import type { CoordinatorClient } from './coordinator-client.js';
import type { Node } from './node.js';
import { signPolicies } from './signed-policy.js';

/**
 * Asks the coordinator to replace this node's keys: the old signing key signs for the new ones, which wait beside the old until a manifest
 * names them (`finishTurn`). Asked again after a fault, it goes on with the same new keys. Throws the coordinator's code.
 */
export const turnKeys = (node: Node, client: Pick<CoordinatorClient, 'post'>): Promise<void> =>
  client.post('/v1/rotations', node.keys.rotation(node.agency, node.manifestHash, node.nowMs()));

/**
 * Installs the keys that the manifest now names, and signs the policy with the new one before it is in force. Nothing where it names those
 * of the folder. Throws `wrong-key` when they are not the ones that wait here.
 */
export async function finishTurn(node: Node, paths: ReturnType<typeof nodePaths>): Promise<void> {
  if (!node.keys.isTurning(node.agency)) return;
  await node.keys.finish(node.agency, {
    append: node.append,
    nowMs: node.nowMs(),
    beforeSigning: (next) => signPolicies(paths, node.agency.id, next),
  });
  node.logger.info('the new keys are in force from here on');
}
