export { type KnownAnalyst, openAssertion } from './open-assertion.js';
export { type Identity, verifyIdentity } from './verify-identity.js';
