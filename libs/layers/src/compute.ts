/** From a request to the bytes of its result: the one place where a layer is computed, on a server or by anybody else. */
import { ConcordatError } from '#libs/bytes';
import type { ComputeContext, LayerMethod } from './method.js';
import { concentrationLayer } from './methods/concentration.js';
import { emergingLayer } from './methods/emerging.js';
import { evaluationLayer } from './methods/evaluation.js';
import { fairnessLayer } from './methods/fairness.js';
import { forecastLayer } from './methods/forecast.js';
import { hotspotsLayer } from './methods/hotspots.js';
import { planLayer } from './methods/plan.js';
import { trendLayer } from './methods/trend.js';
import { warningsLayer } from './methods/warnings.js';
import { type BlobSource, openRelease, type TreeCache } from './release-blobs.js';
import { type LayerRequest, layerKey, type Method } from './request.js';
import { resultBytes } from './result.js';

const LAYERS: { readonly [M in Method]: LayerMethod<M> } = {
  concentration: concentrationLayer,
  hotspots: hotspotsLayer,
  trend: trendLayer,
  emerging: emergingLayer,
  warnings: warningsLayer,
  forecast: forecastLayer,
  fairness: fairnessLayer,
  evaluation: evaluationLayer,
  plan: planLayer,
};

export interface ComputeOptions {
  /** Hears of the share done, 0..1, between steps; what it awaits is waited for, and what it throws ends the work. */
  readonly onProgress?: (share: number) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

/** Releases must be of one grid; of one federation or another is all the same, as their hashes are named. */
function checkGrids(grids: readonly string[]): void {
  if (new Set(grids).size > 1) {
    throw new ConcordatError(
      'mixed-grids',
      'the releases are of different grids: analyse those apart',
    );
  }
}

/**
 * Canonical bytes of the result. The same request gives the same bytes everywhere. Throws `cancelled` when the signal says so, the
 * codes of the methods (`no-such-layer`, `too-few-periods`, `window-period`, `overlapping-periods`, `mixed-noise`,
 * `no-such-resolution`, `area-not-covered`, ..), `malformed-release`, and what the source throws.
 */
export async function computeLayer(
  request: LayerRequest,
  source: BlobSource,
  { onProgress, signal }: ComputeOptions = {},
): Promise<Uint8Array> {
  const progress = async (share: number): Promise<void> => {
    if (signal?.aborted) throw new ConcordatError('cancelled', 'the computation was cancelled');
    await onProgress?.(share);
  };
  await progress(0);
  const trees: TreeCache = new Map();
  const releases = await Promise.all(request.releases.map((id) => openRelease(id, source, trees)));
  checkGrids(releases.map(({ header }) => header.query.gridHash));
  const context: ComputeContext = { releases, source, key: layerKey(request), progress };
  const layer = LAYERS[request.method] as LayerMethod<Method>;
  const body = await layer.compute(request.parameters, context);
  await progress(1);
  return resultBytes(request, layer.description, body);
}
