/**
 * Integers modulo p = 2^255 - 19 at addresses of the WebAssembly module's memory, and how that memory is laid out: temporaries for the field,
 * and room for the points, sums and buckets of `edwards.ts`. Public values only, as there: what is compared here is compared in variable time.
 */
import {
  AFFINE_BYTES,
  type EdwardsFunctions,
  EXTENDED_BYTES,
  edwardsModule,
  FIELD_BYTES,
  FREE_ADDRESS,
  TWO_D_ADDRESS,
} from './edwards-code.js';

/** What is used of the global; no ambient types of a browser are at hand in a pure lib. */
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<{ instance: { exports: EdwardsFunctions & { memory: { buffer: ArrayBuffer } } } }>;
};

/** Largest number of points of one sum. */
export const MAX_POINTS = 4096;
export const MAX_WINDOW_BITS = 9;
/** Elements that share one inversion. */
export const CHUNK = 32;
export const FIELDS_PER_CHUNK_ITEM = 7;
const TEMPORARIES = 15;

export const POINTS = FREE_ADDRESS;
export const SUMS = POINTS + MAX_POINTS * AFFINE_BYTES;
/** Buckets, then running sum, sum of the window, sum of all. */
export const RUNNING = SUMS + 2 ** (MAX_WINDOW_BITS - 1) * EXTENDED_BYTES;
export const WINDOW = RUNNING + EXTENDED_BYTES;
export const TOTAL = WINDOW + EXTENDED_BYTES;
const FIELDS = TOTAL + EXTENDED_BYTES;
export const CHUNK_FIELDS = FIELDS + TEMPORARIES * FIELD_BYTES;
const END = CHUNK_FIELDS + CHUNK * FIELDS_PER_CHUNK_ITEM * FIELD_BYTES;

const { instance } = await WebAssembly.instantiate(edwardsModule(END));
export const { multiply, square, add, subtract, addAffine, subtractAffine, addExtended } =
  instance.exports;
const { squareTimes } = instance.exports;
export const memory = new Int32Array(instance.exports.memory.buffer);

export const LIMBS = FIELD_BYTES / 4;
export const ELEMENT_BYTES = 32;
/** Bit at which each limb starts. */
const STARTS = [0, 26, 51, 77, 102, 128, 153, 179, 204, 230] as const;
const LOW_26 = 2 ** 26 - 1;
const LOW_25 = 2 ** 25 - 1;

/** Loads 32 little-endian bytes; the top bit is left out. */
export function loadBytes(address: number, bytes: Uint8Array): void {
  for (let i = 0; i < LIMBS; i++) {
    const start = STARTS[i] as number;
    const at = start >>> 3;
    const word =
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24)) >>>
      (start & 7);
    memory[address / 4 + i] = word & (i % 2 === 0 ? LOW_26 : LOW_25);
  }
}

const frozen = new Int32Array(LIMBS);
/** The limbs of the canonical representative in 0..p-1, in `frozen` (ref10, `fe_tobytes.c`). */
function freeze(address: number): Int32Array {
  const base = address / 4;
  let quotient = (19 * (memory[base + 9] as number) + (1 << 24)) >> 25;
  for (let i = 0; i < LIMBS; i++) {
    quotient = ((memory[base + i] as number) + quotient) >> (i % 2 === 0 ? 26 : 25);
  }
  let carry = 19 * quotient;
  for (let i = 0; i < LIMBS; i++) {
    const limb = (memory[base + i] as number) + carry;
    frozen[i] = limb & (i % 2 === 0 ? LOW_26 : LOW_25);
    carry = limb >> (i % 2 === 0 ? 26 : 25);
  }
  return frozen;
}
export const isNegative = (address: number): boolean => ((freeze(address)[0] as number) & 1) === 1;
export const isSmall = (address: number, value: 0 | 1): boolean =>
  freeze(address).every((limb, i) => limb === (i === 0 ? value : 0));

export function storeBytes(address: number): Uint8Array {
  const bytes = new Uint8Array(ELEMENT_BYTES);
  const limbs = freeze(address);
  for (let i = 0; i < LIMBS; i++) {
    const start = STARTS[i] as number;
    // A limb of 26 bits that starts at most six bits into a byte: four bytes hold it.
    const word = (limbs[i] as number) << (start & 7);
    for (let n = 0; n < 4; n++) {
      const at = (start >>> 3) + n;
      bytes[at] = (bytes[at] as number) | ((word >>> (8 * n)) & 255);
    }
  }
  return bytes;
}

const temporary = (i: number): number => FIELDS + i * FIELD_BYTES;
export const [ZERO, ONE, SQRT_M1, D, INVSQRT_A_MINUS_D] = [0, 1, 2, 3, 4].map(temporary) as [
  number,
  number,
  number,
  number,
  number,
];
export const T = Array.from({ length: 10 }, (_, i) => temporary(5 + i)) as [
  ...[number, number, number, number, number],
  ...[number, number, number, number, number],
];

const loadInteger = (address: number, value: bigint): void =>
  loadBytes(
    address,
    Uint8Array.from({ length: ELEMENT_BYTES }, (_, i) => Number((value >> BigInt(8 * i)) & 255n)),
  );

/** RFC 9496 section 4.1. */
loadInteger(ZERO, 0n);
loadInteger(ONE, 1n);
loadInteger(
  SQRT_M1,
  19681161376707505956807079304988542015446066515923890162744021073123829784752n,
);
loadInteger(D, 37095705934669439343138083508754565189542113879843219016388785533085940283555n);
loadInteger(
  INVSQRT_A_MINUS_D,
  54469307008909316920995813868745141605393597292927456921205312896311721017578n,
);
add(TWO_D_ADDRESS, D, D);
multiply(TWO_D_ADDRESS, TWO_D_ADDRESS, ONE);

export const copy = (to: number, from: number): void => {
  memory.copyWithin(to / 4, from / 4, from / 4 + LIMBS);
};

/** out = a^(2^252 - 3), and a^11 in T[9]. `out`, `a`, T[7], T[8], T[9] are different places. */
export function powP58(out: number, a: number): void {
  const [t0, t1, t2] = [T[7], T[8], T[9]];
  square(t0, a);
  squareTimes(t1, t0, 1);
  multiply(t1, a, t1); // 9
  multiply(t2, t0, t1); // 11
  square(t0, t2);
  multiply(t0, t1, t0); // 2^5 - 1
  squareTimes(t1, t0, 4);
  multiply(t0, t1, t0); // 2^10 - 1
  squareTimes(t1, t0, 9);
  multiply(t1, t1, t0); // 2^20 - 1
  squareTimes(out, t1, 19);
  multiply(t1, out, t1); // 2^40 - 1
  squareTimes(t1, t1, 9);
  multiply(t0, t1, t0); // 2^50 - 1
  squareTimes(t1, t0, 49);
  multiply(t1, t1, t0); // 2^100 - 1
  squareTimes(out, t1, 99);
  multiply(t1, out, t1); // 2^200 - 1
  squareTimes(t1, t1, 49);
  multiply(t0, t1, t0); // 2^250 - 1
  squareTimes(t0, t0, 1);
  multiply(out, t0, a); // 2^252 - 3
}

/** out = 1/a: a^(p-2) = (a^(2^252 - 3))^8 a^3. */
export function invert(out: number, a: number): void {
  powP58(T[6], a);
  squareTimes(T[6], T[6], 2);
  square(T[7], a);
  multiply(T[7], T[7], a);
  multiply(out, T[6], T[7]);
}
