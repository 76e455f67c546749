export {
  type MessageSigner,
  type Purpose,
  type Signed,
  type VerifySignature,
  openEnvelope,
  seal,
  signedSchema,
} from './envelope.js';
export {
  MAX_AGE_SECONDS,
  type SignableRequest,
  type SignatureHeaders,
  type VerifiedRequest,
  contentDigest,
  contentDigestOf,
  signRequest,
  verifyRequest,
} from './http-signature.js';
export { Manifest, ManifestAgency, SignedManifest, manifestHash } from './manifest.js';
export { Code, Digest, Instant, MonthText, Name, PublicKey, RoundId, logOrigin } from './names.js';
export { PROBLEM_PREFIX, Problem, problem } from './problem.js';
export { Receipt, verifyReceipt } from './receipt.js';
export {
  CoverageEntry,
  ReleaseHeader,
  releaseBytes,
  releaseId,
} from './release.js';
export {
  Assertion,
  CheckpointPost,
  Contribution,
  Group,
  Inbox,
  Offer,
  Refusal,
  SignedAssertion,
  SignedContribution,
  SignedOffer,
  SignedRefusal,
  SignedTask,
  Task,
} from './round.js';
