import { ConcordatError } from '#libs/bytes';
import { installNextKey, prepareNextKey, waitingNextKey } from '#libs/keystore';
import { rotationFingerprints, sealRotation } from '#libs/protocol';
import type { nodePaths } from './config.js';
import type { CoordinatorClient } from './coordinator-client.js';
import type { Node } from './node.js';
import { signPolicies } from './signed-policy.js';

type Paths = ReturnType<typeof nodePaths>;

/**
 * Asks the coordinator to replace this node's signing key: the old key signs for the new one, which waits beside it until a manifest names
 * it (`finishTurn`). The key of boxes stays. Asked again after a fault, it goes on with the same new key. Throws the coordinator's code.
 */
export async function turnKey(
  node: Node,
  client: Pick<CoordinatorClient, 'post'>,
  paths: Paths,
): Promise<void> {
  const next = prepareNextKey(paths.signingKey);
  const rotation = {
    version: 1 as const,
    process: node.agency.id,
    oldKey: node.key.publicKey,
    newKey: next.publicKey,
    newBoxKey: node.agency.boxKey,
    manifest: node.manifestHash,
    at: new Date(node.nowMs()).toISOString(),
  };
  await client.post('/v1/rotations', sealRotation(rotation, node.key, next));
}

/**
 * Installs the key that the manifest now names: signs the policy with it, writes `key.rotated` as the last entry before it signs the log, and
 * puts it in the old one's place. Throws `wrong-key` when it is not the one that waits here.
 */
export async function finishTurn(node: Node, paths: Paths): Promise<void> {
  const newKey = node.agency.publicKey;
  if (newKey === node.key.publicKey) return;
  const next = waitingNextKey(paths.signingKey);
  if (next?.publicKey !== newKey) {
    throw new ConcordatError(
      'wrong-key',
      'the manifest names another key for this agency than the one in its folder',
    );
  }
  signPolicies(paths, node.agency.id, next);
  await node.append({
    kind: 'key.rotated',
    at: new Date(node.nowMs()).toISOString(),
    actor: node.agency.id,
    agency: node.agency.id,
    use: 'sign',
    ...rotationFingerprints({ oldKey: node.key.publicKey, newKey }),
  });
  installNextKey(paths.signingKey);
  node.key.turn(next);
  node.logger.info('the new key signs from here on');
}
