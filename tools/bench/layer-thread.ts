/** A thread of `npm run bench -- analytics`: computes the parts it is told, with a line for each layer, and says when it is free. */
import { parentPort, workerData } from 'node:worker_threads';
import { type LAYER_PARTS, type LayerInput, partsOf } from './layer-parts.js';
import type { Line } from './line.js';

export type Said = { readonly line: Line } | { readonly isFree: true };

const { prefix, ...input } = workerData as LayerInput & { readonly prefix: string };
const say = (said: Said): void => parentPort?.postMessage(said);
const compute = partsOf(prefix, input, (line) => say({ line }));
parentPort?.on('message', (part: keyof typeof LAYER_PARTS) => {
  compute(part);
  say({ isFree: true });
});
say({ isFree: true });
