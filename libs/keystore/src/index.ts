export { osRandom } from './os-random.js';
export { createSecret, loadSecret } from './secret.js';
export { type SigningKey, createSigningKey, loadSigningKey, verifySignature } from './signing-key.js';
