/**
 * A streaming reader of delimited text (RFC 4180, with LF or CRLF ends), made for files that may be broken anywhere. What
 * is wrong with one row never costs another: after a quote that does not close, reading goes on with the line after the
 * one that opened it; of a line beyond `MAX_ROW` nothing is kept. csv-parse is the oracle of its tests; it reads the same
 * rows at a fraction of the speed and stops, or loses rows, at the faults above.
 */

/** Longest row in UTF-16 code units, and so the most text that is held back while a quote is open. */
export const MAX_ROW = 65_536;

type RowFault = 'malformed-row' | 'row-too-long' | 'bad-encoding';

export interface DelimitedOptions {
  readonly delimiter: string;
  readonly quoting: 'double' | 'none';
  /** A row's values; the array is the caller's to keep. */
  readonly onRow: (fields: string[]) => void;
  readonly onFault: (fault: RowFault) => void;
}

export interface DelimitedReader {
  /** The next piece of decoded text; U+FFFD marks what the decoder could not read. */
  push(text: string): void;
  /** Reads what is left; the last line needs no line end. */
  end(): void;
}

const INCOMPLETE = -1;
const MALFORMED = -2;

export function delimitedReader(options: DelimitedOptions): DelimitedReader {
  const { delimiter, onRow, onFault } = options;
  const quoted = options.quoting === 'double';
  let held = '';
  let skippingLine = false;

  const emit = (text: string, start: number, end: number, fields: string[], odd: boolean): void => {
    if (odd) {
      const row = text.slice(start, end);
      const fault = row.includes('\ufffd') ? 'bad-encoding' : 'malformed-row';
      if (fault === 'bad-encoding' || row.includes('\0')) {
        onFault(fault);
        return;
      }
    }
    onRow(fields);
  };

  /** Reads a row with quotes from `start`: the index after its line end, INCOMPLETE or MALFORMED. */
  const quotedRow = (text: string, start: number, last: boolean, odd: boolean): number => {
    const fields: string[] = [];
    let at = start;
    for (;;) {
      if (text[at] === '"') {
        let value = '';
        let from = at + 1;
        for (;;) {
          const close = text.indexOf('"', from);
          if (close < 0) return last ? MALFORMED : INCOMPLETE;
          if (close - start > MAX_ROW) return MALFORMED;
          if (close + 1 === text.length && !last) return INCOMPLETE;
          value += text.slice(from, close);
          from = close + 1;
          if (text[from] !== '"') break;
          value += '"';
          from++;
        }
        fields.push(value);
        at = from;
        if (text[at] === '\r') {
          const ends = at + 1 === text.length;
          if (ends && !last) return INCOMPLETE;
          if (ends || text[at + 1] === '\n') at++;
        }
      } else {
        const line = text.indexOf('\n', at);
        const next = text.indexOf(delimiter, at);
        const end = line < 0 ? text.length : line;
        if (next >= 0 && next < end) {
          fields.push(text.slice(at, next));
          at = next + 1;
          continue;
        }
        if (line < 0 && !last) return INCOMPLETE;
        const value = text.slice(at, end);
        fields.push(value.endsWith('\r') ? value.slice(0, -1) : value);
        at = end;
      }
      if (at >= text.length || text[at] === '\n') {
        if (at - start > MAX_ROW) onFault('row-too-long');
        else emit(text, start, at, fields, odd);
        return at + 1;
      }
      if (text[at] !== delimiter) return MALFORMED;
      at++;
    }
  };

  const read = (text: string, last: boolean): number => {
    const odd = text.includes('\ufffd') || text.includes('\0');
    let at = 0;
    let nextQuote = quoted ? text.indexOf('"') : -1;
    while (at < text.length) {
      const newline = text.indexOf('\n', at);
      const lineEnd = newline < 0 ? text.length : newline;
      if (skippingLine) {
        if (newline < 0) return text.length;
        skippingLine = false;
        at = newline + 1;
        continue;
      }
      if (nextQuote >= 0 && nextQuote < at) nextQuote = text.indexOf('"', at);
      if (nextQuote >= 0 && nextQuote < lineEnd) {
        const after = quotedRow(text, at, last, odd);
        if (after >= 0) {
          at = after;
          continue;
        }
        if (after === INCOMPLETE && text.length - at <= MAX_ROW) return at;
        if (lineEnd - at <= MAX_ROW && (newline >= 0 || last)) {
          onFault('malformed-row');
          at = lineEnd + 1;
          continue;
        }
      }
      if (lineEnd - at > MAX_ROW) {
        onFault('row-too-long');
        skippingLine = newline < 0;
        at = newline < 0 ? text.length : newline + 1;
        continue;
      }
      if (newline < 0 && !last) return at;
      const end = lineEnd > at && text[lineEnd - 1] === '\r' ? lineEnd - 1 : lineEnd;
      const line = text.slice(at, end);
      if (line.trim() !== '') emit(text, at, end, line.split(delimiter), odd);
      at = lineEnd + 1;
    }
    return text.length;
  };

  return {
    push(text) {
      const all = held === '' ? text : held + text;
      held = all.slice(read(all, false));
    },
    end() {
      read(held, true);
      held = '';
    },
  };
}
