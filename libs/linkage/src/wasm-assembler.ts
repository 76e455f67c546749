/**
 * A very small assembler for WebAssembly (core specification 1.0, section 5, binary format): enough for straight-line
 * arithmetic on memory and one counted loop. Emitting the bytes here keeps them readable and the same everywhere; there is no
 * compiler to trust and no binary in the repository.
 */

/** One type of WebAssembly values. */
export type ValueType = 'i32' | 'i64';

const TYPE: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e };

/** Opcodes (section 5.4) of what needs no operand in the code. */
const OPCODE = {
  'i32.add': 0x6a,
  'i32.sub': 0x6b,
  'i64.add': 0x7c,
  'i64.sub': 0x7d,
  'i64.mul': 0x7e,
  'i64.shl': 0x86,
  'i64.shr_s': 0x87,
} as const;
type Operation = keyof typeof OPCODE;

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

const vector = (items: readonly (readonly number[])[]): number[] => [
  ...unsigned(items.length),
  ...items.flat(),
];
const section = (id: number, body: readonly number[]): number[] => [
  id,
  ...unsigned(body.length),
  ...body,
];
const nameBytes = (name: string): number[] =>
  vector([...name].map((letter) => [letter.charCodeAt(0)]));

/** Code of one function under construction. All parameters are i32: addresses and counts. */
export class FunctionCode {
  private readonly code: number[] = [];
  private readonly locals: ValueType[] = [];

  constructor(readonly parameters: number) {}

  /** A new local variable; its index. */
  local(type: ValueType): number {
    this.locals.push(type);
    return this.parameters + this.locals.length - 1;
  }
  get(local: number): this {
    return this.emit(0x20, ...unsigned(local));
  }
  set(local: number): this {
    return this.emit(0x21, ...unsigned(local));
  }
  const32(value: number): this {
    return this.emit(0x41, ...signed(value));
  }
  const64(value: number): this {
    return this.emit(0x42, ...signed(value));
  }
  op(...operations: readonly Operation[]): this {
    return this.emit(...operations.map((operation) => OPCODE[operation]));
  }
  /** i64.load32_s and i32.load of the address on the stack plus `offset`, aligned to four bytes. */
  load32to64(offset: number): this {
    return this.emit(0x34, 2, ...unsigned(offset));
  }
  load32(offset: number): this {
    return this.emit(0x28, 2, ...unsigned(offset));
  }
  /** i64.store32 and i32.store. */
  store64to32(offset: number): this {
    return this.emit(0x3e, 2, ...unsigned(offset));
  }
  store32(offset: number): this {
    return this.emit(0x36, 2, ...unsigned(offset));
  }
  call(functionIndex: number): this {
    return this.emit(0x10, ...unsigned(functionIndex));
  }
  /** Runs `body` as many times as the i32 in `counter` says, at least once, and leaves 0 in it. */
  repeat(counter: number, body: () => void): this {
    this.emit(0x03, 0x40);
    body();
    this.get(counter)
      .const32(1)
      .op('i32.sub')
      .emit(0x22, ...unsigned(counter));
    return this.emit(0x0d, 0, 0x0b);
  }
  /** Entry of the code section. */
  bytes(): number[] {
    const locals = vector(this.locals.map((type) => [1, TYPE[type]]));
    const body = [...locals, ...this.code, 0x0b];
    return [...unsigned(body.length), ...body];
  }

  private emit(...bytes: readonly number[]): this {
    for (const byte of bytes) this.code.push(byte);
    return this;
  }
}

/** A module whose functions return nothing and share one exported memory, `memory`, of a fixed size. */
export class ModuleCode {
  private readonly functions: { readonly name: string; readonly code: FunctionCode }[] = [];

  constructor(private readonly pages: number) {}

  /** Adds a function of `parameters` addresses or counts; its index for `call`. */
  add(name: string, parameters: number, write: (code: FunctionCode) => void): number {
    const code = new FunctionCode(parameters);
    write(code);
    this.functions.push({ name, code });
    return this.functions.length - 1;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const types = this.functions.map(({ code }) => [
      0x60,
      ...vector(new Array(code.parameters).fill([TYPE.i32])),
      0,
    ]);
    const exported = this.functions.map(({ name }, i) => [...nameBytes(name), 0, ...unsigned(i)]);
    const codes = this.functions.map(({ code }) => code.bytes());
    return Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, vector(types)),
      ...section(3, vector(types.map((_, i) => unsigned(i)))),
      ...section(5, vector([[1, ...unsigned(this.pages), ...unsigned(this.pages)]])),
      ...section(7, vector([...exported, [...nameBytes('memory'), 2, 0]])),
      ...section(10, vector(codes)),
    ]);
  }
}
