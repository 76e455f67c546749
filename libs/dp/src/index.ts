export { calibrateGaussian, deltaAtEpsilon, epsilonAtDelta, type LossBound } from './accounting.js';
export {
  DEFAULT_SHARES,
  type Level,
  type LevelRho,
  type LevelShare,
  type LevelVariance,
  levelShares,
  levelVariances,
  type Resolution,
  splitRho,
} from './budget.js';
export { referenceGaussian, referenceLaplace } from './cks20.js';
export {
  type Composition,
  type Contribution,
  type Contributor,
  composeCounts,
  composeVariances,
} from './composition.js';
export { type ExactCounts, exactCounts, type NoisyCounts, noisyCountsFromWire } from './count.js';
export { discreteGaussian, discreteGaussianMoments, MAX_SIGMA2 } from './discrete-gaussian.js';
export { discreteLaplace, MAX_SCALE } from './discrete-laplace.js';
export {
  type EstimatePlan,
  estimateHierarchy,
  type Hierarchy,
  planEstimate,
  type Variances,
} from './hierarchy.js';
export { integerMap } from './integer-map.js';
export {
  type Confidence,
  confidenceInterval,
  type Interval,
  measurementInterval,
  quantileOf,
  standardError,
  tellsFromZero,
} from './interval.js';
export type { NoiseSampler } from './inversion-table.js';
export { addNoise, drawNoise, drawTreeNoise, type LevelNoise, type Noise } from './noise.js';
export { hierarchyFromParents, type OrderedHierarchy } from './parent-list.js';
export {
  type DiscreteGaussianEvent,
  type DiscreteLaplaceEvent,
  eventRho,
  type PrivacyEvent,
  pureEpsilon,
} from './privacy-event.js';
export type { RandomSource } from './random.js';
export {
  addRational,
  compareRational,
  divideRational,
  equalRational,
  formatRational,
  gcdRational,
  MAX_RATIONAL_LENGTH,
  multiplyRational,
  ONE,
  parseRational,
  type Rational,
  rational,
  rationalFromNumber,
  subtractRational,
  sumRationals,
  ZERO,
} from './rational.js';
export { formatRho, MAX_RHO_LENGTH, parseRho, type Rho, rhoOf, withinLimit } from './rho.js';
export { nextDown, nextUp, rationalToNumberDown, rationalToNumberUp } from './rounding.js';
export {
  answerEvents,
  type ContributionBounds,
  INCIDENT_BOUNDS,
  mergedBounds,
  type QuerySensitivity,
  querySensitivity,
  treeL2SensitivitySquared,
} from './sensitivity.js';
export { varianceOfSum } from './union-variance.js';
export { zcdpEpsilon } from './zcdp.js';
