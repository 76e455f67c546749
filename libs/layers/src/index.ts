export { type ComputeOptions, computeLayer } from './compute.js';
export { DecimalText, decimalText } from './decimal.js';
export {
  type ModelCard,
  modelCard,
  modelCardMarkdown,
  type SwitchedForecast,
} from './model-card.js';
export type { BlobSource } from './release-blobs.js';
export {
  type LayerRequest,
  layerKey,
  layerRequest,
  METHODS,
  type Method,
  type ParametersOf,
} from './request.js';
export { LayerResult, type LayerRow, parseResult } from './result.js';
