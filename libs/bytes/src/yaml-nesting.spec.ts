import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { Lexer, Parser } from 'yaml';
import { nestsTooDeep } from './index.js';

const tooDeep = (text: string): boolean => nestsTooDeep(text, { Lexer, Parser });

const nested = (open: string, close: string, depth: number): string =>
  `${open.repeat(depth)}1${close.repeat(depth)}`;
const indented = (depth: number): string =>
  Array.from({ length: depth }, (_, level) => `${' '.repeat(level)}a:\n`).join('');

it.each([
  ['[', ']'],
  ['{"a":', '}'],
  ['- ', ''],
  ['? ', ''],
  ['[{"a":', '}]'],
])('%s is fine fifty times, and too deep a hundred thousand times', (open, close) => {
  expect(tooDeep(nested(open, close, 50))).toBe(false);
  expect(tooDeep(nested(open, close, 100_000))).toBe(true);
});

it('counts indentation alike, and neither length nor brackets in text', () => {
  expect(tooDeep(indented(50))).toBe(false);
  expect(tooDeep(indented(1_000))).toBe(true);
  expect(tooDeep(`a: "${'['.repeat(100_000)}"`)).toBe(false);
  expect(tooDeep('- [1, {a: b}]\n'.repeat(10_000))).toBe(false);
});

it('finds none of the sample policies too deep', () => {
  const folder = new URL('../../../policies/agencies/', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  expect(files.length).toBeGreaterThan(3);
  for (const name of files) {
    expect(tooDeep(readFileSync(new URL(name, folder), 'utf8'))).toBe(false);
  }
});
