export { type BackTestInput, backTest, type MethodResult } from './back-test.js';
export { type Baseline, knownBaseline, usualBaseline } from './baseline.js';
export { type BenchmarkQuestion, benchmark } from './benchmarking.js';
export {
  type Concentration,
  concentration,
  type Lorenz,
  lorenz,
  poissonGini,
} from './concentration.js';
export {
  type CellsHolding,
  type ConcentrationUnderNoise,
  concentrationUnderNoise,
} from './concentration-interval.js';
export {
  type Completeness,
  coverage,
  type IntakeFlag,
  type IntakeMonth,
  intakeFlags,
  type PeriodCoverage,
} from './coverage.js';
export {
  EMERGING_CLASSES,
  type Emerging,
  type EmergingClass,
  emerging,
  emergingClass,
  emergingClasses,
  LEAST_SHOWN,
} from './emerging.js';
export {
  type CellPriors,
  cellPriors,
  estimateField,
  type NoisySums,
  smooth,
} from './empirical-bayes.js';
export { type NoisyTail, noisyTail, type TailPair } from './exact-tail.js';
export { type FairnessInput, fairness, type QuintileReport } from './fairness.js';
export { benjaminiHochberg, type Discoveries } from './false-discovery.js';
export {
  denoise,
  type Forecast,
  forecast,
  type Prior,
  type Release,
  sumPeriods,
} from './forecast.js';
export { countInterval, type Interval, rateInterval } from './forecast-interval.js';
export { giStar, giStarOnGrid } from './getis-ord.js';
export { type GiniEstimate, type GiniOptions, giniUnderNoise } from './gini-interval.js';
export { type Harm, harm, type WeightedRelease } from './harm.js';
export { type Accuracy, accuracy, cellsOfShare, hitsInTop } from './hit-rate.js';
export {
  cellTails,
  type HotCellInput,
  type HotCells,
  hotCells,
  neighbourhoodTails,
} from './hot-cells.js';
export {
  type AreaSeries,
  detectableFall,
  differenceInDifferences,
  type Effect,
  type PowerQuestion,
  power,
} from './intervention.js';
export {
  filterLevels,
  fitLevelModel,
  type LevelModel,
  type Levels,
  type Periods,
} from './level.js';
export { type Moran, moran, moranPermutation } from './moran.js';
export { type DrawnSums, drawnSums, giStarTails } from './permutation-law.js';
export {
  type Plan,
  type PlanQuestion,
  planResolution,
  type ResolutionField,
  type ResolutionPower,
} from './planner.js';
export { type NoiseLaw, noisePmf, noiseVariance, type Pmf, sumOfCopies } from './pmf.js';
export { type CountModel, countModel, drawnLevels } from './possible-counts.js';
export { gammaDraw, poissonDraws, uniforms } from './random-variates.js';
export { type Ranking, rankCells } from './ranking.js';
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
export {
  type PlaceboTest,
  placeboTest,
  type SyntheticControl,
  syntheticControl,
} from './synthetic-control.js';
export { topProbabilities } from './top-probability.js';
export { mannKendall, type Trend, trends, trendTails } from './trend.js';
export { type WarningOptions, type Warnings, warnings } from './warning.js';
export {
  type DisplacementCounts,
  type SummedNoise,
  type WeightedDisplacement,
  weightedDisplacement,
} from './weighted-displacement.js';
