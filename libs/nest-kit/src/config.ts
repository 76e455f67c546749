import { readFileSync } from 'node:fs';
import { Lexer, Parser, parse } from 'yaml';
import type { z } from 'zod';
import { ConcordatError, nestsTooDeep } from '#libs/bytes';

/**
 * Reads a YAML settings file through its schema. Throws `config-missing` (naming the command that makes one) or
 * `config-invalid` (naming the place, not the value).
 */
export function readConfig<T extends z.ZodType>(
  path: string,
  schema: T,
  initCommand: string,
): z.infer<T> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new ConcordatError('config-missing', `${path} cannot be read; run: ${initCommand}`);
  }
  if (nestsTooDeep(text, { Lexer, Parser }))
    throw new ConcordatError('config-invalid', `${path} nests too deep`);
  let value: unknown;
  try {
    value = parse(text, { uniqueKeys: true });
  } catch {
    throw new ConcordatError('config-invalid', `${path} is not YAML`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.map(String).join('.') || 'top level';
  throw new ConcordatError(
    'config-invalid',
    `${path}: ${issue?.code.replaceAll('_', ' ')} at ${where}`,
  );
}
