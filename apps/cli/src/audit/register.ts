/**
 * The register of processing that section 62 of the Data Protection Act 2018 asks for: who did what with whose records, for
 * whom, why and when. One row for every log entry that carries a verb.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJournal } from '#libs/journal';
import { decodeEntry, type Entry } from '#libs/tlog';

/** The operations that section 62(1) names. */
export const VERBS = [
  'collection',
  'alteration',
  'consultation',
  'disclosure',
  'combination',
  'erasure',
] as const;

const COLUMNS = [
  'index',
  'time',
  'verb',
  'actor',
  'recipient',
  'purpose',
  'kind',
  'dataset',
  'fingerprint',
  'round',
  'grant',
  'outcome',
] as const;

export type RegisterRow = { readonly [column in (typeof COLUMNS)[number]]: string };

const textOf = (entry: Entry, member: string): string => {
  const value: unknown = Object.entries(entry).find(([name]) => name === member)?.[1];
  return typeof value === 'string' ? value : '';
};

function rowOf(index: bigint, entry: Entry): RegisterRow | undefined {
  if (!('verb' in entry)) return undefined;
  return {
    index: String(index),
    time: entry.at,
    verb: entry.verb,
    actor: entry.actor,
    recipient: textOf(entry, 'recipient'),
    purpose: entry.purpose,
    kind: entry.kind,
    dataset: textOf(entry, 'dataset'),
    fingerprint: textOf(entry, 'fingerprint'),
    round: textOf(entry, 'round'),
    grant: textOf(entry, 'grant'),
    outcome: textOf(entry, 'code'),
  };
}

/** Where the log of a process lies below its folder. */
export const logFolder = (dir: string): string =>
  existsSync(join(dir, 'log')) ? join(dir, 'log') : dir;

/** The signed operations of a log in order. Throws `log-corrupt`, `bad-entry`. */
export async function registerRows(dir: string): Promise<RegisterRow[]> {
  const rows: RegisterRow[] = [];
  for await (const { index, bytes } of readJournal(logFolder(dir))) {
    const row = rowOf(index, decodeEntry(bytes));
    if (row) rows.push(row);
  }
  return rows;
}

/** A field as RFC 4180 has it. Text that a spreadsheet would run as a formula gets an apostrophe before it. */
const field = (text: string): string => {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** CSV (RFC 4180) with a header line. */
export const toCsv = (rows: readonly RegisterRow[]): string =>
  [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column]))]
    .map((fields) => `${fields.map(field).join(',')}\r\n`)
    .join('');
