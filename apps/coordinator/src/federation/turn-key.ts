import { installNextKey, prepareNextKey, waitingNextKey } from '#libs/keystore';
import { manifestHash, rotationFingerprints, sealRotation } from '#libs/protocol';
import type { Coordinator } from '../coordinator.js';
import type { Succession } from './succession.js';

type Keys = Pick<Coordinator, 'append' | 'config' | 'federation' | 'key' | 'nowMs'>;

/**
 * Replaces the coordinator's signing key: the old key signs the manifest that names the new one, the log says so, and from that entry on
 * the new key signs. The old one is gone afterwards. Members that follow the manifests notice nothing.
 */
export async function turnKey(
  coordinator: Keys,
  succession: Succession,
  path: string,
): Promise<void> {
  const { config, federation, key, nowMs } = coordinator;
  const next = prepareNextKey(path);
  const { manifest } = federation;
  const rotation = {
    version: 1 as const,
    process: config.id,
    oldKey: key.publicKey,
    newKey: next.publicKey,
    newBoxKey: manifest.coordinator.boxKey,
    manifest: manifestHash(manifest),
    at: new Date(nowMs()).toISOString(),
  };
  await succession.publish({ kind: 'rotated', rotation: sealRotation(rotation, key, next) }, () =>
    finishTurn(coordinator, path),
  );
}

/** Installs the next key when the manifest names it: the end of a turn, also of one that a crash cut short. */
export async function finishTurn(coordinator: Keys, path: string): Promise<void> {
  const { append, config, federation, key, nowMs } = coordinator;
  const newKey = federation.manifest.coordinator.publicKey;
  if (newKey === key.publicKey) return;
  const next = waitingNextKey(path);
  if (next?.publicKey !== newKey) return;
  await append({
    kind: 'key.rotated',
    at: new Date(nowMs()).toISOString(),
    actor: config.id,
    agency: config.id,
    use: 'sign',
    ...rotationFingerprints({ oldKey: key.publicKey, newKey }),
  });
  installNextKey(path);
  key.turn(next);
}
