/**
 * `npm run bench -- analytics`: every layer over the national domain for twelve months, and G_i* against a plain
 * sparse-matrix implementation of the same formula in the same run. Counts are made up (seeded Poisson over a skewed
 * field); the cost does not depend on them.
 */
import { on } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import {
  cellsOfShare,
  forecast,
  gammaDraw,
  giStar,
  giStarOnGrid,
  noiseVariance,
  poissonDraws,
  type SpatialWeights,
  topProbabilities,
  uniforms,
} from '#libs/analytics';
import { discreteLaplace, rational } from '#libs/dp';
import { cellAt, disk, type NeighbourLists, neighbourLists, parseDomainFile } from '#libs/grid';
import { LAYER_PARTS } from './layer-parts.js';
import type { Said, Told } from './layer-thread.js';
import type { Emit } from './line.js';
import { LAW, MONTHS, madeUpMonths, mixedWords } from './made-up-months.js';
import { membership, reliability } from './reliability.js';

/** As many as a coordinator of two cores computes layers on. */
const THREADS = 2;

/** Rows of the neighbour lists as a sparse matrix with the cell itself: what a plain implementation multiplies with. */
function sparseRows({ targets, degrees }: NeighbourLists): SpatialWeights {
  const offsets = new Int32Array(degrees.length + 1);
  for (let i = 0; i < degrees.length; i++) {
    offsets[i + 1] = (offsets[i] as number) + (degrees[i] as number) + 1;
  }
  const columns = new Int32Array(offsets[degrees.length] as number);
  for (let i = 0; i < degrees.length; i++) {
    let at = offsets[i] as number;
    columns[at++] = i;
    for (let side = 0; side < (degrees[i] as number); side++) {
      columns[at++] = targets[6 * i + side] as number;
    }
  }
  return { offsets, targets: columns, weights: new Float64Array(columns.length).fill(1) };
}

const seconds = (since: bigint): number => Number(process.hrtime.bigint() - since) / 1e9;

/** The next message that a thread is free; lines that come before are handed on. */
async function untilFree(messages: AsyncIterator<[Said]>, emit: Emit): Promise<void> {
  for (;;) {
    const { value } = (await messages.next()) as { readonly value: [Said] };
    const [said] = value;
    if (!('line' in said)) return;
    emit(said.line);
  }
}

/**
 * All layers on two threads: whichever is free takes the next part. First what it takes to start the threads and to load the code of the
 * layers; then all layers on them while they are fresh; then, for each of `again`, once more on the same, whose code is compiled by then:
 * a coordinator keeps its threads from one layer to the next.
 */
async function allLayers(
  emit: Emit,
  cells: BigUint64Array,
  [first, ...again]: readonly [string, ...string[]],
): Promise<void> {
  const random = mixedWords();
  const workerData = {
    cells,
    counts: madeUpMonths(cells.length, random),
    allCrime: madeUpMonths(cells.length, random),
  };
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const start = process.hrtime.bigint();
    const processor = process.cpuUsage();
    const result = await work();
    emit({ name, figure: Number(seconds(start).toFixed(2)), unit: 's' });
    const { user, system } = process.cpuUsage(processor);
    const figure = Number(((user + system) / 1e6).toFixed(2));
    emit({ name: `${name}, processor time`, figure, unit: 's' });
    return result;
  };
  const started = async () => {
    const thread = new Worker(new URL('layer-thread.js', import.meta.url), { workerData });
    const messages = on(thread, 'message') as AsyncIterator<[Said]>;
    await untilFree(messages, emit);
    return { thread, messages };
  };
  type Threads = readonly Awaited<ReturnType<typeof started>>[];
  const round = async (threads: Threads, prefix: string): Promise<void> => {
    const left = Object.keys(LAYER_PARTS) as Told['part'][];
    const run = async ({ thread, messages }: Threads[number]): Promise<void> => {
      for (let part = left.shift(); part !== undefined; part = left.shift()) {
        thread.postMessage({ prefix, part } satisfies Told);
        await untilFree(messages, emit);
      }
    };
    await Promise.all(threads.map(run));
  };
  const threads = await timed(
    `${first}, on two fresh threads: all layers, start and loading included`,
    async () => {
      const fresh = await timed(`${first}: two threads started, their code loaded`, () =>
        Promise.all(Array.from({ length: THREADS }, started)),
      );
      await timed(`${first}, on two fresh threads: all layers once they are loaded`, () =>
        round(fresh, first),
      );
      return fresh;
    },
  );
  for (const prefix of again) {
    await timed(`${prefix}, on the same threads: all layers`, () => round(threads, prefix));
  }
  await Promise.all(threads.map(({ thread }) => thread.terminate()));
}

function compareGiStar(emit: Emit, cells: BigUint64Array): void {
  const neighbours = neighbourLists(cells);
  const [values] = madeUpMonths(cells.length, mixedWords()) as [Float64Array];
  const rows = sparseRows(neighbours);
  const best = (work: () => Float64Array): [number, Float64Array] => {
    let least = Number.POSITIVE_INFINITY;
    let result = new Float64Array();
    for (let round = 0; round < 3; round++) {
      const start = process.hrtime.bigint();
      result = work() as typeof result;
      least = Math.min(least, seconds(start));
    }
    return [least, result];
  };
  const [plain, want] = best(() => giStar(values, rows, true));
  const [ours, have] = best(() => giStarOnGrid(values, neighbours));
  const difference = have.reduce(
    (most, z, i) => Math.max(most, Math.abs(z - (want[i] as number))),
    0,
  );
  emit({
    name: 'Gi* national',
    figure: Number(ours.toFixed(4)),
    unit: 's',
    peer: 'plain sparse matrix',
    ratio: Number((plain / ours).toFixed(2)),
  });
  emit({ name: 'Gi* largest difference from the plain one', figure: difference, unit: 'z' });
}

/** Reliability of P(top 10 %) on made-up rates; real fields: `npm run bench -- top-k`. */
function topReliability(emit: Emit): void {
  const cells = disk(cellAt(51.5, -0.1, 9), 60);
  const random = mixedWords();
  const uniform = uniforms(random);
  const rates = Float64Array.from(cells, () => 4 * gammaDraw(1, uniform));
  const sampler = discreteLaplace({ scale: rational(2n) });
  const noise = new Int32Array(cells.length);
  const periods = Array.from({ length: MONTHS }, () => {
    sampler.sampleInto(noise, random);
    return poissonDraws(rates, random).map((count, i) => count + (noise[i] as number));
  });
  const result = forecast(
    { periods, noiseVariance: noiseVariance(LAW), law: LAW },
    neighbourLists(cells),
  );
  const k = cellsOfShare(cells.length, 0.1);
  for (const band of reliability(topProbabilities(result, k), membership(rates, k))) {
    emit({
      name: `P(top 10 %) claimed ${band.claimed.toFixed(3)} in ${band.cells} cells, found`,
      figure: Number(band.found.toFixed(3)),
      unit: 'share',
    });
  }
}

export async function run(emit: Emit): Promise<void> {
  const file = 'samples/grid/ew-2026-1.txt.gz';
  const { cells } = parseDomainFile('ew-2026-1', gunzipSync(readFileSync(file)).toString('utf8'));
  await allLayers(emit, cells, ['national']);
  emit({
    name: 'largest resident memory',
    figure: Math.round(process.resourceUsage().maxRSS / 1024),
    unit: 'MB',
  });
  await allLayers(emit, cells.slice(0, 52_241), ['force', 'force again']);
  compareGiStar(emit, cells);
  topReliability(emit);
}
