export { type BoxKey, createBoxKey, loadBoxKey } from './box-key.js';
export { BoxKeyRing, formerPaths } from './box-key-ring.js';
export { installNextKey, prepareNextKey, waitingNextKey } from './next-key.js';
export { PinnedManifest } from './pinned-manifest.js';
export { type KeyStanding, ProcessKeys } from './process-keys.js';
export { createSecret, loadSecret } from './secret.js';
export {
  createSigningKey,
  loadSigningKey,
  noteSigner,
  type SigningKey,
  type TurnableKey,
  turnableKey,
  verifySignature,
} from './signing-key.js';
