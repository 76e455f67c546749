export { type BlindedBatch, blindBatch, finishBatch, unblindBatch } from './blinding.js';
export { COMPONENT_NAMES, type ComponentName, componentOf } from './component.js';
export {
  countMatchKey,
  DECOYED_KEYS,
  decoyOf,
  type LabelsOf,
  overlapCounts,
  plainCounts,
  relativesOf,
} from './count-keys.js';
export {
  type CountNoise,
  drawDummyCounts,
  noiseVariance,
  planCountNoise,
  planRhoNoise,
  releaseCounts,
} from './count-noise.js';
export {
  COUNTED_NUMBERS,
  type CountSet,
  type CountSetSources,
  countLinked,
  JOINED_SETS,
  makeCountSets,
  outputsOf,
  type SetKind,
  type Side,
} from './count-sets.js';
export { DEFAULT_KEYS, HOUSEHOLD_SAFE_KEYS } from './default-keys.js';
export { MAX_BATCH, proveBatch, verifyBatch } from './dleq.js';
export { checkEntropy, EntropyMeter, MIN_KEY_BITS } from './entropy.js';
export { countShared, type LabelSet, onePerPerson, withDummies } from './join.js';
export {
  type BatchDecision,
  type BatchEntry,
  type BatchRefusalCode,
  type BatchRequest,
  type BatchResponse,
  evaluateElements,
  KeyHolder,
  type QuotaGrant,
  quotaOf,
} from './key-holder.js';
export { dealKey, finishKey, type KeyDealing, type KeyOpening } from './key-making.js';
export {
  decodeShare,
  destroyShare,
  encodeShare,
  evaluationPublicKey,
  type HolderIndex,
  type HolderPair,
  type KeyContext,
  type KeyShare,
  type PublicKeySet,
  publicKeysOf,
  type ShareDestroyedEntry,
} from './key-share.js';
export { checkLabelSpace, dummyLabels, type LabelScope, makeLabels } from './label.js';
export { type LabelledPeople, type LearnedKey, type LearnOptions, learnKeys } from './learn.js';
export { type LabelColumn, type LinkedPair, linkRows } from './link.js';
export {
  formatKeySet,
  type LabelContext,
  type MatchKey,
  matchKey,
  matchKeyInput,
  parseKeySet,
  readsField,
} from './match-key.js';
export {
  blind,
  blindEvaluate,
  deriveKeyPair,
  finalize,
  type OprfKeyPair,
  type OprfMode,
} from './oprf.js';
export { estimateOverlap, type OverlapEstimate } from './overlap.js';
export { COUNT_KEYS, type CountKey, type KeyCount, type OverlapCounts } from './overlap-counts.js';
export { columnName, fieldOfColumn, personReader } from './person-columns.js';
export { randomScalar } from './ristretto.js';
export { secretStream } from './secret-stream.js';
export {
  PERSON_FIELDS,
  type PersonField,
  type PersonRecord,
  RULES_VERSION,
  type StandardPerson,
  standardise,
} from './standardise.js';
export {
  type NameOrigin,
  type SyntheticLists,
  type SyntheticPlan,
  type SyntheticRecord,
  syntheticLists,
} from './synthetic-people.js';
