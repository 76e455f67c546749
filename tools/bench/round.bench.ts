import type { NoisyCounts } from '#libs/dp';
import { aesKeyStream } from '#libs/host';
import { addMask, addMasked, maskedToBytes, share, unmask } from '#libs/sealing';
import type { Emit } from './line.js';

/** Resolution-9 cells, and the nodes above them, of a large police force. */
const CELLS = 205_000;
const FEDERATIONS = [43, 343];
const WARM_UP = 3;
const NAIVE_NODES = 3;

/** Processor milliseconds of `work`, user and system, all threads. */
function cpuMs<T>(work: () => T): { readonly ms: number; readonly result: T } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1000, result };
}

const median = (times: readonly number[]): number =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;

const answerOf = (node: number): NoisyCounts =>
  Int32Array.from({ length: CELLS }, (_, i) => ((i * 31 + node * 17) % 41) - 20) as NoisyCounts;
const seedOf = (node: number): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, i) => (node * 7 + i * 13) & 255);

/** A mask as one would write it first: the whole key stream, then the sum, through bigints kept in an ordinary array. */
function naiveMask(sum: bigint[], seed: Uint8Array): void {
  const bytes = aesKeyStream(seed, 0)(8 * CELLS);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < CELLS; i++) {
    sum[i] = ((sum[i] as bigint) + view.getBigUint64(8 * i, true)) & 0xffff_ffff_ffff_ffffn;
  }
}

/**
 * A sealed round of 43 and of 343 nodes over 205,000 cells each: processor time of a node, the auditor and the coordinator for masks
 * and sums. Hashing, signatures, disk and network are not in it.
 */
export async function run(emit: Emit): Promise<void> {
  const positions = Int32Array.from({ length: CELLS }, (_, i) => i);
  for (const nodes of FEDERATIONS) {
    const plain = new Float64Array(CELLS);
    const nodeMs: number[] = [];
    let auditorMs = 0;
    let coordinatorMs = 0;
    let naiveMs = 0;
    let plainMs = 0;
    const masks = new BigUint64Array(CELLS);
    const masked = new BigUint64Array(CELLS);
    const naive = new Array<bigint>(CELLS).fill(0n);
    let upload = 0;
    // The vectors are never in memory together: 343 of them have half a gigabyte.
    for (let node = -WARM_UP; node < nodes; node++) {
      const answer = answerOf(node);
      const seed = seedOf(node + WARM_UP);
      const own = cpuMs(() => share(answer, seed, aesKeyStream));
      if (node < 0) continue;
      upload = maskedToBytes(own.result).length;
      nodeMs.push(own.ms);
      auditorMs += cpuMs(() => addMask(masks, seed, 0, positions, aesKeyStream)).ms;
      coordinatorMs += cpuMs(() => addMasked(masked, own.result, positions)).ms;
      plainMs += cpuMs(() => {
        for (let i = 0; i < CELLS; i++) plain[i] = (plain[i] as number) + (answer[i] as number);
      }).ms;
      if (node < NAIVE_NODES) naiveMs += cpuMs(() => naiveMask(naive, seed)).ms / NAIVE_NODES;
    }
    const opened = cpuMs(() => unmask(masked, masks));
    coordinatorMs += opened.ms;
    if (opened.result.some((value, i) => value !== plain[i])) {
      throw new Error('the unmasked sum is not the sum');
    }
    const round = (ms: number): number => Number(ms.toFixed(2));
    const of = `sealed round of ${nodes} nodes x ${CELLS} cells`;
    emit({ name: `${of}: CPU of a node`, figure: round(median(nodeMs)), unit: 'ms' });
    emit({ name: `${of}: masked vector`, figure: upload / CELLS, unit: 'bytes per cell' });
    emit({
      name: `${of}: CPU of the auditor`,
      figure: round(auditorMs),
      unit: 'ms',
      peer: `masks summed with bigints, one value at a time: ${round(naiveMs * nodes)} ms`,
      ratio: round((naiveMs * nodes) / auditorMs),
    });
    emit({
      name: `${of}: CPU of the coordinator`,
      figure: round(coordinatorMs),
      unit: 'ms',
      peer: `plain unsealed sum: ${round(plainMs)} ms`,
      ratio: round(plainMs / coordinatorMs),
    });
  }
}
