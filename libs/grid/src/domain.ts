/**
 * A domain is the public set of resolution-9 cells that a question is about. Noise goes on every one of its cells, empty
 * or not, so the set and its order must be the same everywhere: it is versioned by name and pinned by hash.
 */
import { bytesToHex, ConcordatError, domainDigest } from '#libs/bytes';
import { cellFromText, cellToText } from './cell.js';
import { HIGH, isCellIndex, LOW, resolutionOfHigh, wordsOf } from './cell-index.js';
import { compact, decompact } from './compaction.js';

/** `cells` ascend; `hash` is the hex of a domain-separated SHA-256 over them, big-endian, 8 bytes each. */
export interface Domain {
  readonly name: string;
  readonly finest: 9;
  readonly cells: BigUint64Array;
  readonly hash: string;
}

const FINEST = 9;
const HASH_TAG = 'concordat/grid/domain/v1';
const NAME = /^[a-z0-9]+(?:[-/][a-z0-9]+)*$/;

const refuse = (code: string, message: string): never => {
  throw new ConcordatError(code, message);
};

function hashOf(cells: BigUint64Array): string {
  const words = wordsOf(cells);
  const bytes = new Uint8Array(8 * cells.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < cells.length; i++) {
    view.setUint32(8 * i, words[2 * i + HIGH] as number);
    view.setUint32(8 * i + 4, words[2 * i + LOW] as number);
  }
  return bytesToHex(domainDigest(HASH_TAG, bytes));
}

/**
 * Domain of the given resolution-9 cells, which must ascend (see `sortedCells`). The array is kept, not copied. Throws
 * `invalid-name`, `empty-domain`, `invalid-cell` (no cell or not of resolution 9), `unsorted-cells` (order or repeat).
 */
export function domainFromCells(name: string, cells: BigUint64Array): Domain {
  if (name.length > 64 || !NAME.test(name)) {
    refuse(
      'invalid-name',
      'a domain name is lower-case words and digits joined by - or /, at most 64 characters',
    );
  }
  if (cells.length === 0) refuse('empty-domain', 'a domain holds at least one cell');
  const words = wordsOf(cells);
  let lastHigh = 0;
  let lastLow = 0;
  for (let i = 0; i < words.length; i += 2) {
    const high = words[i + HIGH] as number;
    const low = words[i + LOW] as number;
    if (resolutionOfHigh(high) !== FINEST || !isCellIndex(high, low)) {
      refuse('invalid-cell', `every cell of a domain is an H3 cell of resolution ${FINEST}`);
    }
    if (high < lastHigh || (high === lastHigh && low <= lastLow)) {
      refuse('unsorted-cells', 'cells of a domain ascend without repeats');
    }
    lastHigh = high;
    lastLow = low;
  }
  return { name, finest: FINEST, cells, hash: hashOf(cells) };
}

/** The given cells ascending and each once: the form every vector of cells has. */
export const sortedCells = (cells: Iterable<bigint>): BigUint64Array =>
  sortInPlace(BigUint64Array.from(cells));

function sortInPlace(cells: BigUint64Array): BigUint64Array {
  cells.sort();
  const words = wordsOf(cells);
  let length = 0;
  for (let i = 0; i < words.length; i += 2) {
    const repeated =
      length > 0 && words[i] === words[length - 2] && words[i + 1] === words[length - 1];
    if (repeated) continue;
    words[length++] = words[i] as number;
    words[length++] = words[i + 1] as number;
  }
  return cells.slice(0, length / 2);
}

/**
 * Domain from its file: one cell a line, of resolution 9 or coarser, where a coarse cell stands for all resolution-9
 * cells under it. Any order; a final newline is optional. Throws `invalid-cell`, `overlapping-cells`,
 * `finer-than-domain`, `too-many-cells` and what `domainFromCells` throws.
 */
export function parseDomainFile(name: string, text: string): Domain {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return domainFromCells(name, decompact(BigUint64Array.from(lines, cellFromText), FINEST));
}

/** The shortest domain file: complete families replaced by their parent, ascending by index. */
export function formatDomainFile(domain: Domain): string {
  return `${Array.from(compact(domain.cells), cellToText).join('\n')}\n`;
}

/** Cells of at least one of the domains. Throws `empty-domain` when none is given. */
export function unionDomains(name: string, domains: readonly Domain[]): Domain {
  const all = new BigUint64Array(domains.reduce((sum, { cells }) => sum + cells.length, 0));
  let at = 0;
  for (const { cells } of domains) {
    all.set(cells, at);
    at += cells.length;
  }
  return domainFromCells(name, sortInPlace(all));
}

/** Cells of all of the domains. Throws `empty-domain` when there is none. */
export function intersectDomains(name: string, domains: readonly [Domain, ...Domain[]]): Domain {
  const cells = domains.map((domain) => domain.cells).reduce((a, b) => intersect(a, b));
  return domainFromCells(name, cells);
}

/** Intersection of two ascending vectors. */
function intersect(a: BigUint64Array, b: BigUint64Array): BigUint64Array {
  const out = new BigUint64Array(Math.min(a.length, b.length));
  let length = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const x = a[i] as bigint;
    const y = b[j] as bigint;
    if (x === y) out[length++] = x;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return out.slice(0, length);
}
