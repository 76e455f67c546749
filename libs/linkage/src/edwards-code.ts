/**
 * Arithmetic of edwards25519 as WebAssembly, emitted when the module is loaded: the field of p = 2^255 - 19 in ten signed limbs of
 * alternately 26 and 25 bits, and additions of points in extended coordinates.
 *
 * Limbs are Bernstein's (ed25519 ref10, `fe_mul.c`): a product has limbs below 1.01 * 2^25 and 1.01 * 2^24, and takes factors below
 * 1.65 * 2^26 and 1.65 * 2^25, so up to three products may be added or subtracted, without carrying, before the next multiplication.
 * Additions are those of Hisil, Wong, Carter, Dawson 2008 (section 3.1, a = -1), complete on this curve: no case is exceptional.
 */
import { type FunctionCode, ModuleCode } from './wasm-assembler.js';

/** Bytes of a field element in memory: ten 32-bit limbs. */
export const FIELD_BYTES = 40;
const LIMBS = 10;
/** X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z. */
export const EXTENDED_BYTES = 4 * FIELD_BYTES;
/** x, y, 2d xy of a point with Z = 1. */
export const AFFINE_BYTES = 3 * FIELD_BYTES;

const isOdd = (i: number): boolean => i % 2 === 1;
const bitsOf = (limb: number): number => (isOdd(limb) ? 25 : 26);

/** Carries ten 64-bit columns into limbs and stores them at the address in local `out`. Order as in ref10. */
function carryAndStore(code: FunctionCode, columns: readonly number[], out: number): void {
  const carry = code.local('i64');
  const step = (from: number): void => {
    const bits = bitsOf(from);
    const column = columns[from] as number;
    code
      .get(column)
      .const64(2 ** (bits - 1))
      .op('i64.add')
      .const64(bits)
      .op('i64.shr_s')
      .set(carry);
    const next = columns[(from + 1) % LIMBS] as number;
    code.get(next).get(carry);
    if (from === LIMBS - 1) code.const64(19).op('i64.mul');
    code.op('i64.add').set(next);
    code.get(column).get(carry).const64(bits).op('i64.shl', 'i64.sub').set(column);
  };
  for (const from of [0, 4, 1, 5, 2, 6, 3, 7, 4, 8, 9, 0]) step(from);
  columns.forEach((column, i) => {
    code
      .get(out)
      .get(column)
      .store64to32(4 * i);
  });
}

const loadLimbs = (code: FunctionCode, address: number): number[] =>
  Array.from({ length: LIMBS }, (_, i) => {
    const limb = code.local('i64');
    code
      .get(address)
      .load32to64(4 * i)
      .set(limb);
    return limb;
  });

/** Multiples of limbs, each computed once, when it is first needed. */
function multiplesOf(code: FunctionCode, limbs: readonly number[]) {
  const made = new Map<string, number>();
  return (i: number, factor: number): number => {
    if (factor === 1) return limbs[i] as number;
    const found = made.get(`${i} ${factor}`);
    if (found !== undefined) return found;
    const multiple = code.local('i64');
    code
      .get(limbs[i] as number)
      .const64(factor)
      .op('i64.mul')
      .set(multiple);
    made.set(`${i} ${factor}`, multiple);
    return multiple;
  };
}

/** Weight of f_i g_j in its column: 2 where both limbs are odd (25 + 25 bits start half a bit early), 19 beyond 2^255. */
const weight = (i: number, j: number): number =>
  (isOdd(i) && isOdd(j) ? 2 : 1) * (i + j >= LIMBS ? 19 : 1);

/** Sets each column to the sum of its products of two locals. */
function sumColumns(
  code: FunctionCode,
  productsOf: (column: number) => readonly (readonly [number, number])[],
): number[] {
  return Array.from({ length: LIMBS }, (_, column) => {
    const sum = code.local('i64');
    productsOf(column).forEach(([a, b], n) => {
      code.get(a).get(b).op('i64.mul');
      if (n > 0) code.op('i64.add');
    });
    return code.set(sum) && sum;
  });
}

const RANGE = Array.from({ length: LIMBS }, (_, i) => i);

/** out = a b. */
function writeMultiply(code: FunctionCode): void {
  const left = multiplesOf(code, loadLimbs(code, 1));
  const right = multiplesOf(code, loadLimbs(code, 2));
  const columns = sumColumns(code, (column) =>
    RANGE.map((i) => {
      const j = (column - i + LIMBS) % LIMBS;
      const twice = isOdd(i) && isOdd(j) ? 2 : 1;
      return [left(i, twice), right(j, weight(i, j) / twice)];
    }),
  );
  carryAndStore(code, columns, 0);
}

/** out = a^2. */
function writeSquare(code: FunctionCode): void {
  const multiple = multiplesOf(code, loadLimbs(code, 1));
  const columns = sumColumns(code, (column) =>
    RANGE.flatMap((i): [number, number][] => {
      const j = (column - i + LIMBS) % LIMBS;
      if (i > j) return [];
      return [[multiple(i, i === j ? 1 : 2), multiple(j, weight(i, j))]];
    }),
  );
  carryAndStore(code, columns, 0);
}

/** out = a + b or a - b, limb by limb and without carrying. */
const writeSum =
  (operation: 'i32.add' | 'i32.sub') =>
  (code: FunctionCode): void => {
    for (const i of RANGE) {
      code
        .get(0)
        .get(1)
        .load32(4 * i)
        .get(2)
        .load32(4 * i)
        .op(operation)
        .store32(4 * i);
    }
  };

/** Where in a point its coordinates are. */
const [X, Y, Z, T] = [0, 1, 2, 3].map((i) => i * FIELD_BYTES) as [number, number, number, number];

/** Scratch of the additions below, at the start of the memory, then the constant 2d. */
const [A, B, C, D, E, F, G, H, P, Q] = RANGE.map((i) => i * FIELD_BYTES) as [
  ...[number, number, number, number, number],
  ...[number, number, number, number, number],
];
/** Address at which the caller puts the constant 2d. */
export const TWO_D_ADDRESS = LIMBS * FIELD_BYTES;
/** First address that is the caller's. */
export const FREE_ADDRESS = TWO_D_ADDRESS + FIELD_BYTES;

const PAGE_BYTES = 65536;

/** The module with `bytes` of memory. Its functions: see `EdwardsFunctions`. */
export function edwardsModule(bytes: number): Uint8Array<ArrayBuffer> {
  const module = new ModuleCode(Math.ceil(bytes / PAGE_BYTES));
  const multiply = module.add('multiply', 3, writeMultiply);
  const square = module.add('square', 2, writeSquare);
  const add = module.add('add', 3, writeSum('i32.add'));
  const subtract = module.add('subtract', 3, writeSum('i32.sub'));

  module.add('squareTimes', 3, (code) => {
    code.get(0).get(1).call(square);
    code.repeat(2, () => code.get(0).get(0).call(square));
  });

  /** Calls of field functions on fixed scratch and on coordinates of the points in the parameters. */
  const field = (code: FunctionCode) => {
    type Place = number | readonly [parameter: number, offset: number];
    const push = (place: Place): void => {
      if (typeof place === 'number') code.const32(place);
      else code.get(place[0]).const32(place[1]).op('i32.add');
    };
    return (functionIndex: number, out: Place, a: Place, b: Place): void => {
      for (const place of [out, a, b]) push(place);
      code.call(functionIndex);
    };
  };

  // Parameters: 0 the sum in extended coordinates, 1 an affine point that is added or, with `negative`, subtracted.
  const writeMixed = (negative: boolean) => (code: FunctionCode) => {
    const run = field(code);
    const [plus, minus] = negative ? [subtract, add] : [add, subtract];
    run(subtract, P, [0, Y], [0, X]);
    run(minus, Q, [1, Y], [1, X]);
    run(multiply, A, P, Q);
    run(add, P, [0, Y], [0, X]);
    run(plus, Q, [1, Y], [1, X]);
    run(multiply, B, P, Q);
    run(multiply, C, [0, T], [1, Z]);
    run(add, D, [0, Z], [0, Z]);
    finish(run, plus, minus);
  };
  const finish = (run: ReturnType<typeof field>, plus: number, minus: number): void => {
    run(subtract, E, B, A);
    run(minus, F, D, C);
    run(plus, G, D, C);
    run(add, H, B, A);
    run(multiply, [0, X], E, F);
    run(multiply, [0, Y], G, H);
    run(multiply, [0, T], E, H);
    run(multiply, [0, Z], F, G);
  };
  module.add('addAffine', 2, writeMixed(false));
  module.add('subtractAffine', 2, writeMixed(true));
  module.add('addExtended', 2, (code) => {
    const run = field(code);
    run(subtract, P, [0, Y], [0, X]);
    run(subtract, Q, [1, Y], [1, X]);
    run(multiply, A, P, Q);
    run(add, P, [0, Y], [0, X]);
    run(add, Q, [1, Y], [1, X]);
    run(multiply, B, P, Q);
    run(multiply, P, [0, T], TWO_D_ADDRESS);
    run(multiply, C, P, [1, T]);
    run(multiply, P, [0, Z], [1, Z]);
    run(add, D, P, P);
    finish(run, add, subtract);
  });
  return module.bytes();
}

/** Every argument is an address; `out` may equal an input. */
export interface EdwardsFunctions {
  multiply(out: number, a: number, b: number): void;
  square(out: number, a: number): void;
  /** a^(2^(times + 1)), times >= 1. */
  squareTimes(out: number, a: number, times: number): void;
  add(out: number, a: number, b: number): void;
  subtract(out: number, a: number, b: number): void;
  /** sum += point, sum -= point, affine. */
  addAffine(sum: number, point: number): void;
  subtractAffine(sum: number, point: number): void;
  /** sum += other, both extended; may be the same. */
  addExtended(sum: number, other: number): void;
}
