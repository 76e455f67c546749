/** One file from bytes to rows in common terms: text, header, mapping. Nothing here knows of the database. */
import { TextDecoder } from 'node:util';
import { ConcordatError } from '#libs/bytes';
import {
  columnIndex,
  compileMapping,
  DELIMITERS,
  type MappedRow,
  type Mapping,
  mappedColumns,
  type Rejection,
  type RowMapper,
  recognise,
  type Taxonomy,
} from '#libs/harmonise';
import { type DelimitedReader, delimitedReader, MAX_ROW } from './delimited.js';

export interface Reading {
  /** A mapping, or several among which the header decides. */
  readonly mapping: Mapping | readonly Mapping[];
  readonly taxonomy: Taxonomy;
  readonly categories?: readonly string[] | undefined;
  /** Milliseconds since 1970 UTC. */
  readonly nowMs: number;
}

export interface FileReader {
  push(bytes: Uint8Array): void;
  /** Throws `empty-file` where there was not even a header. */
  end(): void;
  /** Data rows met so far, accepted or not. */
  readonly rows: number;
  readonly rejected: ReadonlyMap<Rejection, number>;
}

const bad = (code: string, message: string): never => {
  throw new ConcordatError(code, message);
};

/** The header's names under a delimiter, or undefined when the line cannot be split by it. */
function headerNames(line: string, delimiter: string, quoting: 'double' | 'none') {
  let names: string[] | undefined;
  const reader = delimitedReader({
    delimiter,
    quoting,
    onRow: (fields) => {
      names ??= fields;
    },
    onFault: () => undefined,
  });
  reader.push(line);
  reader.end();
  return names as string[] | undefined;
}

const hasAll = (names: readonly string[], mapping: Mapping): boolean => {
  try {
    for (const column of mappedColumns(mapping)) columnIndex(names, column);
    return true;
  } catch {
    return false;
  }
};

interface Opened {
  readonly mapping: Mapping;
  readonly delimiter: string;
  readonly header: readonly string[];
}

/** Chooses the mapping and the delimiter for a header line. */
function open(line: string, candidates: Mapping | readonly Mapping[]): Opened {
  const delimiters = Object.entries(DELIMITERS);
  const offered = [candidates].flat() as Mapping[];
  const [mapping, ...others] = offered;
  if (!mapping || others.length > 0) {
    for (const [, delimiter] of delimiters) {
      const header = headerNames(line, delimiter, 'double') ?? [];
      const recognised = recognise(header, offered);
      if (recognised) return { mapping: recognised, delimiter, header };
    }
    return bad('unknown-format', 'no mapping recognises these columns: write one and name it');
  }
  const { delimiter: wanted, quoting } = mapping.format;
  const fitting = delimiters.filter(([, delimiter]) =>
    hasAll(headerNames(line, delimiter, quoting) ?? [], mapping),
  );
  if (wanted === 'auto') {
    const only = fitting[0];
    if (only && fitting.length === 1) {
      return { mapping, delimiter: only[1], header: headerNames(line, only[1], quoting) ?? [] };
    }
    return bad('missing-column', 'no delimiter gives every mapped column: check the header');
  }
  const header = headerNames(line, DELIMITERS[wanted], quoting) ?? [];
  const other = fitting[0];
  if (other && !fitting.some(([name]) => name === wanted)) {
    bad('wrong-delimiter', `the columns are separated by ${other[0]}, the mapping says ${wanted}`);
  }
  return { mapping, delimiter: DELIMITERS[wanted], header };
}

const ZIP = [0x50, 0x4b, 3, 4];
const isZip = (bytes: Uint8Array): boolean => ZIP.every((byte, i) => bytes[i] === byte);

/** The header names the mapping, so it is read before the mapping's encoding is known: as UTF-8 where it is that. */
function headerText(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8').decode(bytes);
  return text.includes('\ufffd') ? new TextDecoder('latin1').decode(bytes) : text;
}

/**
 * Reads one file. `onRow` gets each accepted row and its number (first data row: 1); every other row is counted in
 * `rejected`. Throws, for the file as a whole: `not-text`, `empty-file`, `unknown-format`, `missing-column`,
 * `duplicate-column`, `wrong-delimiter`, `wrong-line-ends`.
 */
export function fileReader(
  reading: Reading,
  onRow: (row: MappedRow, number: number) => void,
  onMapping: (mapping: Mapping) => void,
): FileReader {
  const rejected = new Map<Rejection, number>();
  let rows = 0;
  let head = new Uint8Array();
  let body: { decoder: TextDecoder; reader: DelimitedReader } | undefined;

  const reject = (reason: Rejection): void => {
    rejected.set(reason, (rejected.get(reason) ?? 0) + 1);
  };

  /** Starts on the rows once the header line is whole. */
  const start = (last: boolean): void => {
    const marked = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
    let from = marked;
    while (head[from] === 0x0a || head[from] === 0x0d || head[from] === 0x20) from++;
    const newline = head.indexOf(0x0a, from);
    // UTF-16 shows by its zero bytes, in the header already.
    if (isZip(head) || head.subarray(from, newline < 0 ? head.length : newline).includes(0)) {
      bad('not-text', 'this is no delimited text: save it as CSV in UTF-8, unpack archives');
    }
    let lineEnd = newline < 0 ? head.length : newline;
    while (head[lineEnd - 1] === 0x0d) lineEnd--;
    if (head.subarray(from, lineEnd).includes(0x0d)) {
      bad(
        'wrong-line-ends',
        'lines end in a carriage return alone: save it with Windows or Unix line ends',
      );
    }
    if (newline < 0 && !last) {
      if (head.length > MAX_ROW) bad('missing-column', 'the first line is too long for a header');
      return;
    }
    const end = newline < 0 ? head.length : newline;
    const line = headerText(head.subarray(from, end));
    if (line.trim() === '') bad('empty-file', 'the file is empty: export it again');
    const { mapping, delimiter, header } = open(line, reading.mapping);
    const map: RowMapper = compileMapping(mapping, reading.taxonomy, {
      header,
      nowMs: reading.nowMs,
      categories: reading.categories,
    });
    onMapping(mapping);
    const reader = delimitedReader({
      delimiter,
      quoting: mapping.format.quoting,
      onRow: (fields) => {
        rows++;
        const row = map(fields);
        if (row.rejected === undefined) onRow(row, rows);
        else reject(row.rejected);
      },
      onFault: (fault) => {
        rows++;
        reject(fault);
      },
    });
    const decoder = new TextDecoder(mapping.format.encoding, { ignoreBOM: true });
    body = { decoder, reader };
    reader.push(decoder.decode(head.subarray(end + 1), { stream: true }));
    head = new Uint8Array();
  };

  return {
    push(bytes) {
      if (body) {
        body.reader.push(body.decoder.decode(bytes, { stream: true }));
        return;
      }
      const joined = new Uint8Array(head.length + bytes.length);
      joined.set(head);
      joined.set(bytes, head.length);
      head = joined;
      start(false);
    },
    end() {
      if (!body) start(true);
      if (!body) return;
      body.reader.push(body.decoder.decode());
      body.reader.end();
    },
    get rows() {
      return rows;
    },
    get rejected() {
      return rejected;
    },
  };
}
