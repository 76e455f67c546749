export {
  Enrolment,
  EnrolmentPost,
  type EnrolmentToken,
  enrolmentWords,
  formatToken,
  keyFingerprint,
  parseToken,
  Rotation,
  SignedEnrolment,
  SignedRotation,
  sameWords,
  tokenHash,
} from './enrolment.js';
export {
  type MessageSigner,
  openEnvelope,
  type Purpose,
  type Signed,
  seal,
  signedSchema,
  type VerifySignature,
} from './envelope.js';
export {
  FORECAST_OWNER,
  ForecastDefinition,
  ForecastOrder,
  SignedForecastOrder,
} from './forecast-order.js';
export { Group, layoutDigest } from './group.js';
export {
  MAX_SKEW_SECONDS,
  type ResponseFault,
  type SignableResponse,
  signResponse,
  verifyResponse,
} from './http-response-signature.js';
export {
  contentDigest,
  contentDigestOf,
  MAX_AGE_SECONDS,
  type RequestFault,
  type RequestSigning,
  type SignableRequest,
  type SignatureHeaders,
  signRequest,
  type VerifiedRequest,
  verifyRequest,
} from './http-signature.js';
export {
  analystOfSubject,
  IdentityProvider,
  identityProviderDigest,
  isDemoProvider,
  isLoopbackHost,
  isSubjectAnalyst,
  nonceOfKey,
  rolesOfClaims,
} from './identity-provider.js';
export {
  LINKAGE_ACTIONS,
  type LinkageAction,
  LinkageBody,
  LinkageInstruction,
  LinkageLetter,
  LinkageMail,
  LinkagePartState,
  LinkagePost,
  LinkageProject,
  LinkageStatus,
  LinkedAnswer,
  LinkedRelease,
  LinkedSet,
  linkageProjectDigest,
  SignedLinkageInstruction,
} from './linkage.js';
export {
  allLogKeys,
  formerWitnessKeys,
  logVerifierKey,
  logVerifierKeys,
  processBoxKey,
  processKey,
  signingKeysSince,
  witnessedLogKeys,
  witnessQuorum,
  witnessVerifierKeys,
} from './log-keys.js';
export {
  assertSound,
  type Founding,
  foundManifest,
  KeyHolders,
  Manifest,
  ManifestChange,
  manifestHash,
  SignedManifest,
} from './manifest.js';
export {
  ManifestHistory,
  ManifestHistoryFile,
  openSignedManifest,
} from './manifest-history.js';
export { ManifestAgency, ManifestAnalyst, ManifestProcess } from './member.js';
export {
  Code,
  Digest,
  Instant,
  logOrigin,
  MonthText,
  Name,
  PublicKey,
  RoundId,
  WeekText,
} from './names.js';
export { PolicyApproval } from './policy-approval.js';
export { PROBLEM_PREFIX, Problem, problem } from './problem.js';
export { PrivacyUnit, Receipt, vectorDigest, verifyReceipt } from './receipt.js';
export {
  CoverageEntry,
  ReleaseHeader,
  releaseBytes,
  releaseId,
} from './release.js';
export {
  Accept,
  Assertion,
  CheckpointPost,
  Contribution,
  Hold,
  Inbox,
  Offer,
  Refusal,
  SignedAssertion,
  SignedContribution,
  SignedOffer,
  SignedRefusal,
  SignedTask,
  Task,
  Upload,
} from './round.js';
export {
  answeredIn,
  applyRoundEvent,
  closingCoverage,
  hasSettled,
  isCollecting,
  isOpen,
  isOver,
  isRoundEvent,
  type RoundEvent,
  type RoundPhase,
  type RoundState,
  type Standing,
} from './round-machine.js';
export {
  applyToSealBook,
  emptySealBook,
  isSealEvent,
  isUnmaskedFor,
  SEALED_QUORUM,
  type SealBook,
  type SealEvent,
  type SealedRound,
  type SealFault,
  sealFault,
} from './seal-book.js';
export {
  Seed,
  SeedReceipt,
  SignedSeed,
  SignedSeedReceipt,
} from './seed.js';
export {
  ManifestStep,
  ManifestSteps,
  nextManifest,
  openEnrolment,
  openRotation,
  rotationFingerprints,
  sealRotation,
  signedBy,
  signStep,
  takeStep,
} from './succession.js';
export {
  Contributor,
  SignedUnmask,
  SignedUnmasked,
  Unmask,
  Unmasked,
  Unmaskings,
  UnmaskRefusal,
} from './unmasking.js';
export { WitnessMail, WitnessMessage, WitnessPost } from './witnessing.js';
