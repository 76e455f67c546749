export { type BenchmarkQuestion, benchmark } from './benchmarking.js';
export {
  type Concentration,
  concentration,
  type Lorenz,
  lorenz,
  poissonGini,
} from './concentration/concentration.js';
export {
  type CellsHolding,
  type ConcentrationUnderNoise,
  concentrationUnderNoise,
} from './concentration/concentration-interval.js';
export {
  type GiniEstimate,
  type GiniOptions,
  giniUnderNoise,
} from './concentration/gini-interval.js';
export {
  type Completeness,
  coverage,
  type IntakeFlag,
  type IntakeMonth,
  intakeFlags,
  type PeriodCoverage,
} from './coverage.js';
export { benjaminiHochberg, type Discoveries } from './detect/false-discovery.js';
export { giStar, giStarOnGrid } from './detect/getis-ord.js';
export {
  cellTails,
  type HotCellInput,
  type HotCells,
  hotCells,
  neighbourhoodTails,
} from './detect/hot-cells.js';
export { type Moran, moran, moranPermutation } from './detect/moran.js';
export { type DrawnSums, drawnSums, giStarTails } from './detect/permutation-law.js';
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
} from './detect/scan.js';
export {
  ringSums,
  type SpatialWeights,
  type WeightTriple,
  weightsFromTriples,
} from './detect/spatial-weights.js';
export {
  type AreaSeries,
  detectableFall,
  differenceInDifferences,
  type Effect,
  type PowerQuestion,
  power,
} from './evaluate/intervention.js';
export {
  type PlaceboTest,
  placeboTest,
  type SyntheticControl,
  syntheticControl,
} from './evaluate/synthetic-control.js';
export {
  type DisplacementCounts,
  type SummedNoise,
  type WeightedDisplacement,
  weightedDisplacement,
} from './evaluate/weighted-displacement.js';
export { type FairnessInput, fairness, type QuintileReport } from './fairness.js';
export { type Harm, harm, type WeightedRelease } from './harm.js';
export { type NoisyTail, noisyTail, type TailPair } from './laws/exact-tail.js';
export { type NoiseLaw, noisePmf, noiseVariance, type Pmf, sumOfCopies } from './laws/pmf.js';
export { gammaDraw, poissonDraws, uniforms } from './laws/random-variates.js';
export {
  type Plan,
  type PlanQuestion,
  planResolution,
  type ResolutionField,
  type ResolutionPower,
} from './planner.js';
export { type BackTestInput, backTest, type MethodResult } from './predict/back-test.js';
export {
  denoise,
  type Forecast,
  forecast,
  type Prior,
  type Release,
  sumPeriods,
} from './predict/forecast.js';
export { countInterval, type Interval, rateInterval } from './predict/forecast-interval.js';
export { type Accuracy, accuracy, cellsOfShare, hitsInTop } from './predict/hit-rate.js';
export { type Ranking, rankCells } from './predict/ranking.js';
export { topProbabilities } from './predict/top-probability.js';
export {
  type CellPriors,
  cellPriors,
  estimateField,
  type NoisySums,
  smooth,
} from './rates/empirical-bayes.js';
export {
  filterLevels,
  fitLevelModel,
  type LevelModel,
  type Levels,
  type Periods,
} from './rates/level.js';
export { type Baseline, knownBaseline, usualBaseline } from './track/baseline.js';
export {
  EMERGING_CLASSES,
  type Emerging,
  type EmergingClass,
  emerging,
  emergingClass,
  emergingClasses,
  LEAST_SHOWN,
} from './track/emerging.js';
export { type CountModel, countModel, drawnLevels } from './track/possible-counts.js';
export { mannKendall, type Trend, trends, trendTails } from './track/trend.js';
export { type WarningOptions, type Warnings, warnings } from './track/warning.js';
