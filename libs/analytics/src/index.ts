export {
  type Concentration,
  concentration,
  type Lorenz,
  lorenz,
  poissonGini,
} from './concentration.js';
export { type NoisyTail, noisyTail, type TailPair } from './exact-tail.js';
export { benjaminiHochberg, type Discoveries } from './false-discovery.js';
export { giStar, giStarOnGrid } from './getis-ord.js';
export { type Moran, moran } from './moran.js';
export { type NoiseLaw, noisePmf, noiseVariance, type Pmf, sumOfCopies } from './pmf.js';
export {
  conditionalRatio,
  discZones,
  expectationRatio,
  type ScanInput,
  type ScanModel,
  type ScanResult,
  scan,
  scanP,
  type Zones,
} from './scan.js';
export {
  ringSums,
  type SpatialWeights,
  type WeightTriple,
  weightsFromTriples,
} from './spatial-weights.js';
export { mannKendall, type Trend, trends } from './trend.js';
export {
  type DisplacementCounts,
  type WeightedDisplacement,
  weightedDisplacement,
} from './weighted-displacement.js';
