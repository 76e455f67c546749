import { Inject, Injectable } from '@nestjs/common';
import { ConcordatError, type Json } from '#libs/bytes';
import { type Jobs, type JobView, jobKey } from '#libs/jobs';
import {
  type LayerRequest,
  type LayerResult,
  layerKey,
  layerRequest,
  type Method,
} from '#libs/layers';
import { timeLimit } from '#libs/nest-kit';
import { JOBS } from '../jobs/coordinator-jobs.js';
import { ReleaseStore } from '../releases/release-store.js';
import { jobInput, LAYER_JOB } from './layer-job.js';
import { LayerStore } from './layer-store.js';

/** Injection token of the hash of the public deprivation file. */
export const DEPRIVATION = Symbol('Deprivation');

/** Computations that may wait at once: reading needs no identity, and each takes a processor for seconds. */
const MOST_WAITING = 32;
const LONGEST_WAIT_SECONDS = 20;
/** Requests of which the key is remembered, for progress and cancelling. */
const KEPT_REQUESTS = 1_000;

export interface LayerState {
  readonly request: LayerRequest;
  readonly key: string;
  readonly status: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly progress: number;
  readonly fault: { readonly code: string; readonly message: string } | null;
  readonly result: LayerResult | null;
}

/** Layers on demand: found by content key, else computed as a job. */
@Injectable()
export class LayersService {
  private readonly requests = new Map<string, LayerRequest>();
  /** How often a finished result had to be computed again, by content key. */
  private readonly again = new Map<string, number>();

  constructor(
    @Inject(LayerStore) private readonly store: LayerStore,
    @Inject(ReleaseStore) private readonly releases: ReleaseStore,
    @Inject(JOBS) private readonly jobs: Jobs,
    @Inject(DEPRIVATION) private readonly deprivation: string,
  ) {}

  /** The request of published releases. Throws as `layerRequest`, and `not-found`. */
  request(
    method: Method,
    parameters: Readonly<Record<string, unknown>>,
    releases: readonly string[],
  ): LayerRequest {
    const withFile =
      method === 'forecast' || method === 'fairness'
        ? { deprivation: this.deprivation, ...parameters }
        : parameters;
    const request = layerRequest(method, withFile, releases);
    if (request.releases.some((id) => this.releases.find(id) === undefined)) {
      throw new ConcordatError(
        'not-found',
        'a release of this id is not published here; { releases { id } } lists those that are',
      );
    }
    return request;
  }

  /** State of a request, which is asked for when it has to be; waits for it up to `waitSeconds`. Throws `busy`, `bad-wait`. */
  async ask(request: LayerRequest, waitSeconds: number): Promise<LayerState> {
    if (!(waitSeconds >= 0 && waitSeconds <= LONGEST_WAIT_SECONDS)) {
      throw new ConcordatError('bad-wait', `wait 0 to ${LONGEST_WAIT_SECONDS} seconds`);
    }
    const key = layerKey(request);
    this.remember(key, request);
    const known = await this.store.result(key);
    if (known) return done(request, key, known);
    const view = await this.view(request);
    if (view?.status === 'failed' && view.fault.code !== 'internal') {
      return failed(request, key, view.fault);
    }
    // Done, but the result is gone from the store: the queue would not run the same job again.
    if (view?.status === 'done') this.again.set(key, (this.again.get(key) ?? 0) + 1);
    if (view?.status !== 'waiting' && view?.status !== 'running') await this.refuseWhenBusy();
    const input = this.input(request);
    await this.jobs.enqueue(LAYER_JOB, input);
    // Whatever ends the wait stands in the job itself.
    if (waitSeconds > 0) {
      const signal = timeLimit(waitSeconds * 1000);
      await this.jobs.run(LAYER_JOB, input, { signal }).catch(() => undefined);
    }
    return this.state(request);
  }

  /** Result of a request, which is computed unless it is there; undefined when it cannot be. */
  async finished(request: LayerRequest): Promise<LayerResult | undefined> {
    const known = await this.store.result(layerKey(request));
    if (known) return known;
    await this.jobs.run(LAYER_JOB, this.input(request)).catch(() => undefined);
    return this.store.result(layerKey(request));
  }

  /** State of a request without asking for it. */
  async state(request: LayerRequest): Promise<LayerState> {
    const key = layerKey(request);
    const result = await this.store.result(key);
    if (result) return done(request, key, result);
    const view = await this.view(request);
    if (view?.status === 'failed') return failed(request, key, view.fault);
    const status = view === undefined || view.status === 'done' ? 'cancelled' : view.status;
    return { request, key, status, progress: view?.progress ?? 0, fault: null, result: null };
  }

  /** Ends a computation that waits or runs. Throws `not-found`. */
  async cancel(key: string): Promise<LayerState> {
    const request = this.requests.get(key);
    if (!request) throw new ConcordatError('not-found', 'no layer of this key was asked for');
    await this.jobs.cancel(jobKey(LAYER_JOB, this.input(request)));
    return this.state(request);
  }

  private input(request: LayerRequest): Json {
    return jobInput(request, this.again.get(layerKey(request)));
  }

  private view(request: LayerRequest): Promise<JobView | undefined> {
    return this.jobs.find(jobKey(LAYER_JOB, this.input(request)));
  }

  private remember(key: string, request: LayerRequest): void {
    this.requests.delete(key);
    this.requests.set(key, request);
    for (const old of this.requests.keys()) {
      if (this.requests.size <= KEPT_REQUESTS) break;
      this.requests.delete(old);
    }
  }

  private async refuseWhenBusy(): Promise<void> {
    const { waiting } = await this.jobs.counts();
    if (waiting >= MOST_WAITING) {
      throw new ConcordatError(
        'busy',
        'too many layers wait to be computed: ask again in a minute, or compute it yourself with concordat analyse',
      );
    }
  }
}

const done = (request: LayerRequest, key: string, result: LayerResult): LayerState => ({
  request,
  key,
  status: 'done',
  progress: 1,
  fault: null,
  result,
});

const failed = (
  request: LayerRequest,
  key: string,
  fault: { readonly code: string; readonly message: string },
): LayerState => ({ request, key, status: 'failed', progress: 0, fault, result: null });
