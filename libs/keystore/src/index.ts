export { aesKeyStream } from './aes-key-stream.js';
export { type BoxKey, createBoxKey, loadBoxKey } from './box-key.js';
export { osRandom } from './os-random.js';
export { createSecret, loadSecret } from './secret.js';
export {
  createSigningKey,
  loadSigningKey,
  type SigningKey,
  verifySignature,
} from './signing-key.js';
