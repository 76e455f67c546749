/** How an agency's files are read: the mappings of its own in the folder of its node, and those of `policies/mappings`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import { type Mapping, parseMapping } from '#libs/harmonise';
import { packageRoot } from '#libs/host';

const BUNDLED = join(packageRoot(import.meta.url), 'policies', 'mappings');
/** In the settings: whatever mapping recognises a file by its header. */
const AUTO = 'auto';

/** Reads one mapping. Throws `bad-mapping` with the file's name. */
export function readMapping(file: string): Mapping {
  try {
    return parseMapping(readFileSync(file, 'utf8'));
  } catch (error) {
    if (!isConcordatError(error, 'bad-mapping')) throw error;
    throw new ConcordatError('bad-mapping', `${file}: ${error.message}`);
  }
}

const mappingsIn = (folder: string): Mapping[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.yaml'))
        .sort()
        .map((file) => readMapping(join(folder, file)))
    : [];

/**
 * The mapping of the settings: one by name, or for `auto` all that recognise their files. Those in the folder `own` come before the bundled
 * ones. Throws `unknown-mapping`, `bad-mapping`.
 */
export function loadMappings(name: string, own: string): Mapping | readonly Mapping[] {
  const all = [...mappingsIn(own), ...mappingsIn(BUNDLED)];
  if (name === AUTO) return all.filter(({ recognise }) => recognise);
  const named = all.find(({ mapping }) => mapping === name);
  if (named) return named;
  const names = all.map(({ mapping }) => mapping).join(', ');
  throw new ConcordatError(
    'unknown-mapping',
    `there is no mapping "${name}" in policies/mappings or in the node's folder ${own}; there are ${names}, and auto`,
  );
}
