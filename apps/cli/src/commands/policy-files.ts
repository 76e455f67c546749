/** The files that policy commands are given: an agency's document, a folder of them, the federation's floor. */
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConcordatError } from '#libs/bytes';
import {
  type AgencyPolicy,
  type FederationPolicy,
  parseDocument,
  parseFederation,
  parsePolicy,
} from '#libs/policy';

const FEDERATION = 'federation.yaml';

/** Longer than any document that is read; what is longer still, or never ends, is not read to its end. */
const MAX_BYTES = 4_000_000;

function readAtMost(path: string, limit: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(limit);
    let size = 0;
    for (let read = -1; read !== 0 && size < limit; size += read) {
      read = readSync(file, bytes, size, limit - size, null);
    }
    return bytes.subarray(0, size);
  } finally {
    closeSync(file);
  }
}

/** Text of a named file. Throws `no-such-file`, `unreadable-file`, `document-too-large`, `malformed-encoding`. */
export function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readAtMost(path, MAX_BYTES);
  } catch (error) {
    const code =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no-such-file' : 'unreadable-file';
    throw new ConcordatError(code, `cannot read the file ${basename(path)}`, { cause: error });
  }
  if (bytes.length === MAX_BYTES) {
    throw new ConcordatError('document-too-large', `shorten ${basename(path)}`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ConcordatError('malformed-encoding', `save ${basename(path)} as UTF-8`);
  }
}

/** The nearest file of that name in `start` or a folder above it. */
function findAbove(start: string, name: string): string | undefined {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    const path = join(folder, name);
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) return undefined;
  }
}

/** The floor: as told, else the one beside the policy or in the folder above, else the one that ships with Concordat. */
export function readFederation(option: string | undefined, policyPath: string): FederationPolicy {
  const shipped = () =>
    findAbove(dirname(fileURLToPath(import.meta.url)), join('policies', FEDERATION));
  const folder = dirname(resolve(policyPath));
  const near = [folder, dirname(folder)].map((at) => join(at, FEDERATION)).find(existsSync);
  const path = option ?? near ?? shipped();
  if (!path) throw new ConcordatError('no-federation-policy', 'name the floor with --federation');
  return parseFederation(readText(path));
}

/** Whether a document is the federation's floor rather than an agency's policy. Throws as `parseDocument`. */
export function isFloor(text: string): boolean {
  const document = parseDocument(text);
  return (
    typeof document === 'object' &&
    document !== null &&
    'floor' in document &&
    !('agency' in document)
  );
}

/** An agency's policy. Throws as `readText` and `parsePolicy`, and `federation-floor` for the floor. */
export function readPolicy(path: string): AgencyPolicy {
  const text = readText(path);
  if (isFloor(text)) {
    throw new ConcordatError(
      'federation-floor',
      `${basename(path)} is the federation's floor, which grants nothing; name the policy of an agency`,
    );
  }
  return parsePolicy(text);
}

/** Policy files under a path: itself, the folder's `agencies/`, or the folder's own documents. */
export function policyFiles(path: string): readonly string[] {
  if (!existsSync(path))
    throw new ConcordatError('no-such-file', 'name a policy file or a folder of them');
  if (!statSync(path).isDirectory()) return [path];
  const agencies = join(path, 'agencies');
  const folder = existsSync(agencies) ? agencies : path;
  const files = readdirSync(folder)
    .filter(
      (name) => /\.(?:ya?ml|json)$/.test(name) && name !== FEDERATION && name !== 'schema.json',
    )
    .sort()
    .map((name) => join(folder, name));
  if (files.length === 0)
    throw new ConcordatError('no-policy', 'the folder holds no policy document');
  return files;
}
