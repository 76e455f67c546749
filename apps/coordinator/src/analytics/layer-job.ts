import { z } from 'zod';
import type { Json } from '#libs/bytes';
import { defineJob, type JobKind, type Threads } from '#libs/jobs';
import { type LayerRequest, layerKey, layerRequest, METHODS } from '#libs/layers';
import { inLayer } from '#libs/nest-kit';
import { Digest } from '#libs/protocol';
import type { LayerStore } from './layer-store.js';
import type { LayerTask } from './layer-thread.js';

export const LAYER_JOB = 'layer';

const Input = z.strictObject({
  method: z.enum(METHODS),
  methodVersion: z.int().min(1),
  parameters: z.record(z.string(), z.json()),
  releases: z.array(Digest).min(1),
  /** Tells a repeated computation of the same request from the first. */
  again: z.int().min(1).optional(),
});

/** A request as the input of a job. */
export const jobInput = (request: LayerRequest, again: number | undefined): Json =>
  ({
    ...request,
    parameters: { ...request.parameters },
    ...(again === undefined ? {} : { again }),
  }) as unknown as Json;

/** Computes one layer and names its result by the content key. Idempotent: the same request has the same bytes. */
export const layerJob = (store: LayerStore, blobs: string, threads: Threads): JobKind =>
  defineJob({
    name: LAYER_JOB,
    input: Input as z.ZodType<Json>,
    run: async (input, { signal, progress }) => {
      const { method, parameters, releases } = input as z.infer<typeof Input>;
      const request = layerRequest(method, parameters, releases);
      const key = layerKey(request);
      const task: LayerTask = { request, blobs, results: store.folder };
      return inLayer(key, method, async () => {
        const hash = Digest.parse(await threads.run(task, { signal, onProgress: progress }));
        await store.name(key, hash);
        return { key, hash };
      });
    },
  });
