/**
 * Why a row was not counted. Closed list: reports, tests and the operator's page name the same reasons. The first six are
 * found where lines are split, the others by the mapping.
 */
export const REJECTIONS = [
  /** Another text where the row should have ended, a quote never closed, or a NUL byte. */
  'malformed-row',
  /** Longer than a row may be; the rest of the line was skipped unread. */
  'row-too-long',
  /** Bytes that are not text in the encoding the mapping names. */
  'bad-encoding',
  /** Fewer values than the header has columns. */
  'too-few-fields',
  /** More values than the header has columns. */
  'too-many-fields',
  'missing-category',
  /** A label that the taxonomy does not know. */
  'unknown-category',
  /** A category that this dataset does not declare. */
  'undeclared-category',
  'missing-date',
  'bad-date',
  'future-date',
  /** One of the two is blank, not a plain decimal number, or outside -90..90 / -180..180. */
  'bad-coordinates',
  /** Exactly (0, 0): a blank written as a number. */
  'zero-coordinates',
  /** Outside the United Kingdom as written, inside when exchanged. */
  'swapped-coordinates',
] as const;

export type Rejection = (typeof REJECTIONS)[number];
