import { Lexer, Parser, parse } from 'yaml';
import type { z } from 'zod';
import { ConcordatError, nestsTooDeep } from '#libs/bytes';

/**
 * One YAML document after its schema. A refusal has `code` and names the keys at fault, never a value. Aliases are off, so
 * that a small file cannot unfold into a large one.
 */
export function parseDocument<T>(schema: z.ZodType<T>, text: string, code: string): T {
  if (nestsTooDeep(text, { Lexer, Parser }))
    throw new ConcordatError(code, 'nests too deep: write fewer levels');
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 0 });
  } catch (cause) {
    throw new ConcordatError(code, 'not readable as YAML: check indentation and quotes', { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => {
    const at = issue.path.join('.') || 'document';
    return issue.code === 'unrecognized_keys'
      ? `${at}: unknown key ${issue.keys.join(', ')}`
      : `${at}: ${issue.message}`;
  });
  throw new ConcordatError(code, faults.join('; '));
}
