/** A thread of `npm run bench -- analytics`: computes the parts it is told, with a line for each layer, and says when it is free. */
import { parentPort, workerData } from 'node:worker_threads';
import { type LAYER_PARTS, type LayerInput, partsOf } from './layer-parts.js';
import type { Line } from './line.js';

export type Said = { readonly line: Line } | { readonly isFree: true };

/** A part, and what its lines begin with: where that is new, all is made anew but the thread itself. */
export interface Told {
  readonly prefix: string;
  readonly part: keyof typeof LAYER_PARTS;
}

const input = workerData as LayerInput;
const say = (said: Said): void => parentPort?.postMessage(said);
let prefix = '';
let compute: ReturnType<typeof partsOf> = () => undefined;
parentPort?.on('message', (told: Told) => {
  if (told.prefix !== prefix) {
    prefix = told.prefix;
    compute = partsOf(prefix, input, (line) => say({ line }));
  }
  compute(told.part);
  say({ isFree: true });
});
say({ isFree: true });
