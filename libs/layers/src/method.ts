/** What every method of a layer is: words about it, and one pure computation. */
import type { BlobSource, OpenRelease } from './release-blobs.js';
import type { Method, ParametersOf } from './request.js';
import type { LayerBody, MethodDescription } from './result.js';

export interface ComputeContext {
  readonly releases: readonly OpenRelease[];
  readonly source: BlobSource;
  /** Content key of the request: random draws follow from it. */
  readonly key: string;
  /** Reports the share done, 0..1, and lets others have the thread; rejects when the work is not wanted any more. */
  progress(share: number): Promise<void>;
}

export interface LayerMethod<M extends Method> {
  readonly description: MethodDescription;
  compute(parameters: ParametersOf<M>, context: ComputeContext): Promise<LayerBody>;
}
