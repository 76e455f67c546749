/** A mapping: how to read one kind of file (policies/mappings/*.yaml). */

import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { parseDocument } from './document.js';
import { isTimeFormat } from './time-format.js';

const Name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'use lower-case letters, digits, hyphens');
const Column = z.string().trim().min(1);

export const DELIMITERS = { comma: ',', tab: '\t', semicolon: ';', pipe: '|' } as const;
export type Delimiter = keyof typeof DELIMITERS;

const MappingDocument = z.strictObject({
  mapping: Name,
  title: z.string().min(1),
  /** Columns whose presence shows that a file is of this kind. */
  recognise: z.array(Column).min(1).optional(),
  format: z.strictObject({
    /** `auto` takes the one delimiter under which every mapped column is found. */
    delimiter: z.enum(['comma', 'tab', 'semicolon', 'pipe', 'auto']),
    /** `latin1` is Windows-1252, as on the web. */
    encoding: z.enum(['utf-8', 'latin1']).default('utf-8'),
    /** `double`: RFC 4180. `none`: a quotation mark is a character like any other. */
    quoting: z.enum(['double', 'none']).default('double'),
  }),
  /** The incident's reference; rows where it is blank are all different incidents. */
  id: Column.optional(),
  /** A reference to the person, where the unit of privacy is the person. */
  person: Column.optional(),
  category: z.union([z.strictObject({ column: Column }), z.strictObject({ constant: Name })]),
  /** The categories that such a file covers; all of the taxonomy when left out. */
  categories: z.array(Name).min(1).optional(),
  time: z.strictObject({
    column: Column,
    formats: z
      .array(
        z
          .string()
          .refine(
            isTimeFormat,
            'use YYYY and MM or M, optionally DD or D, HH or H, mm, ss, once each',
          ),
      )
      .min(1),
    /** `day` where the day written is that of the incident, so that weeks can be counted; many files write a month as its first day. */
    precision: z.literal('day').optional(),
  }),
  location: z.strictObject({ longitude: Column, latitude: Column }),
});

export type Mapping = z.infer<typeof MappingDocument>;

/** Reads a mapping from YAML. Unknown keys and contradictions are `bad-mapping`. */
export function parseMapping(text: string): Mapping {
  const mapping = parseDocument(MappingDocument, text, 'bad-mapping');
  if ('constant' in mapping.category && mapping.categories) {
    throw new ConcordatError('bad-mapping', 'categories: already said by category.constant');
  }
  if (mapping.time.precision && !mapping.time.formats.every((format) => format.includes('D'))) {
    throw new ConcordatError('bad-mapping', 'time.precision: a format writes no day');
  }
  const columns = mappedColumns(mapping).map(foldColumn);
  if (new Set(columns).size !== columns.length) {
    throw new ConcordatError('bad-mapping', 'one column is named for two purposes');
  }
  return mapping;
}

/** Header names are compared without regard to case and surrounding space. */
export const foldColumn = (name: string): string => name.trim().toLowerCase();

/** Every column the mapping reads, in no particular order. */
export const mappedColumns = (mapping: Mapping): string[] => [
  ...(mapping.id === undefined ? [] : [mapping.id]),
  ...(mapping.person === undefined ? [] : [mapping.person]),
  ...('column' in mapping.category ? [mapping.category.column] : []),
  mapping.time.column,
  mapping.location.longitude,
  mapping.location.latitude,
];

/** The first of `mappings` all of whose `recognise` columns are in the header. */
export function recognise(
  header: readonly string[],
  mappings: readonly Mapping[],
): Mapping | undefined {
  const names = new Set(header.map(foldColumn));
  return mappings.find((mapping) =>
    mapping.recognise?.every((name) => names.has(foldColumn(name))),
  );
}
