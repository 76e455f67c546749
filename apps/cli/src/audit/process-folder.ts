/** A process's folder as an auditor is handed it: whose it is, and by which keys its log is to be judged. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Lexer, Parser, parse } from 'yaml';
import { z } from 'zod';
import { ConcordatError, isConcordatError, nestsTooDeep } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import {
  allLogKeys,
  formerWitnessKeys,
  logOrigin,
  type Manifest,
  ManifestHistory,
  Name,
  PublicKey,
  processKey,
  witnessQuorum,
  witnessVerifierKeys,
} from '#libs/protocol';
import { parseVerifierKey } from '#libs/tlog';
import { isExactJson } from './exact-json.js';

/** One thing that is wrong, and where: `entry 12`, `checkpoint`, `blobs/ab/ab12...`, `manifest.json`. */
export interface AuditFault {
  readonly at: string;
  readonly kind: string;
}

/** What a log is judged by. */
export interface LogKeys {
  /** Undefined when only a verifier key was given: then the checkpoint names the log. */
  readonly origin: string | undefined;
  readonly verifierKeys: readonly string[];
  /** Those of the log itself, in the order in which they were in force. */
  readonly logKeys: readonly string[];
  readonly quorum: number;
}

export interface ProcessFolder {
  readonly dir: string;
  readonly logDir: string;
  readonly id: string | undefined;
  /** Whether the settings say that this is a node's. */
  readonly isNode: boolean;
  /** Undefined when it is missing or not to be trusted; `faults` says so. */
  readonly manifest: Manifest | undefined;
  /** All that were in force before it. */
  readonly history: ManifestHistory | undefined;
  readonly keys: LogKeys | undefined;
  readonly faults: readonly AuditFault[];
}

/** The few settings that all processes' `config.yaml` share; each process checks the rest itself. */
const AnyConfig = z
  .object({
    agency: Name.optional(),
    id: Name.optional(),
    coordinator: z.object({ publicKey: PublicKey }).optional(),
    /** A coordinator's own. */
    publicKey: PublicKey.optional(),
  })
  .refine(({ agency, id }) => (agency === undefined) !== (id === undefined));

function readConfig(dir: string): z.infer<typeof AnyConfig> | undefined {
  try {
    const text = readFileSync(join(dir, 'config.yaml'), 'utf8');
    if (nestsTooDeep(text, { Lexer, Parser })) return undefined;
    return AnyConfig.safeParse(parse(text, { uniqueKeys: true })).data;
  } catch {
    return undefined;
  }
}

/**
 * Opens a manifest file with everything it says of those before it. The coordinator's public key comes from who asks, not from the file;
 * without one the file is taken at its word, and its signatures must still hold. Throws `manifest-missing`, and what
 * `ManifestHistory.open` throws.
 */
export function openManifestHistory(
  path: string,
  coordinatorKey: string | undefined,
): ManifestHistory {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new ConcordatError('malformed-message', 'the manifest is not JSON');
    }
    throw new ConcordatError('manifest-missing', 'the signed federation manifest cannot be read');
  }
  return ManifestHistory.open(document, coordinatorKey, verifySignature);
}

/** The newest manifest of such a file. */
export const openManifest = (path: string, coordinatorKey: string | undefined): Manifest =>
  openManifestHistory(path, coordinatorKey).manifest;

const PARTS_OF_PROCESS = ['config.yaml', 'manifest.json', 'log', 'checkpoint', 'entries.rec'];

const isOfProcess = (dir: string): boolean =>
  PARTS_OF_PROCESS.some((name) => existsSync(join(dir, name)));

/** A folder with nothing in it that a process keeps has not lost anything: another one was meant. */
function assertOfProcess(dir: string): void {
  if (isOfProcess(dir)) return;
  const inside = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isOfProcess(join(dir, entry.name)))
    .map(({ name }) => name)
    .sort();
  const shown = inside.slice(0, 8).join(', ');
  const more = inside.length > 8 ? `, and ${inside.length - 8} more` : '';
  throw new ConcordatError(
    'not-a-process-folder',
    inside.length === 0
      ? `${dir} has neither config.yaml nor a log; give the folder that a node, coordinator or auditor keeps`
      : `${dir} holds the folders of several processes; name one of them: ${shown}${more}`,
  );
}

/**
 * Reads what a folder says of itself. `key` is either the coordinator's public key (base64url), which must have signed the
 * manifest, or a verifier key of the log (`name+id+base64`), with which no manifest is needed. What is wrong with settings or
 * manifest is a fault, not an error. Throws `no-such-folder`, `not-a-process-folder`, `malformed-key`.
 */
export function openProcessFolder(dir: string, key: string | undefined): ProcessFolder {
  if (!existsSync(dir) || !statSync(dir).isDirectory()) {
    throw new ConcordatError(
      'no-such-folder',
      'give the folder of one process, such as DIR/auditor',
    );
  }
  const logDir =
    !existsSync(join(dir, 'log')) && existsSync(join(dir, 'checkpoint')) ? dir : join(dir, 'log');
  const isVerifierKey = key?.includes('+') ?? false;
  if (key !== undefined && !isVerifierKey && !PublicKey.safeParse(key).success) {
    throw new ConcordatError(
      'malformed-key',
      "--key takes the coordinator's public key or a verifier key of the log",
    );
  }
  if (isVerifierKey && key !== undefined) parseVerifierKey(key);
  assertOfProcess(dir);

  const faults: AuditFault[] = [];
  const config = readConfig(dir);
  const id = config?.agency ?? config?.id;
  if (!config && !isVerifierKey) faults.push({ at: 'config.yaml', kind: 'config-invalid' });
  let history: ManifestHistory | undefined;
  const pinned = isVerifierKey
    ? undefined
    : (key ?? config?.coordinator?.publicKey ?? config?.publicKey);
  const isNode = config?.agency !== undefined;
  try {
    const path = join(dir, 'manifest.json');
    history = openManifestHistory(path, pinned);
    const text = readFileSync(path, 'utf8');
    if (!isExactJson(text, JSON.parse(text)))
      faults.push({ at: 'manifest.json', kind: 'manifest-respelled' });
  } catch (error) {
    if (!isConcordatError(error)) throw error;
    if (!isVerifierKey || error.code !== 'manifest-missing') {
      faults.push({ at: 'manifest.json', kind: error.code });
    }
  }
  const manifest = history?.manifest;
  if (key !== undefined && isVerifierKey) {
    const keys = { origin: undefined, verifierKeys: [key], logKeys: [key], quorum: 0 };
    return { dir, logDir, id, isNode, history, manifest, keys, faults };
  }
  const known =
    manifest &&
    id !== undefined &&
    // a log stays verifiable when its owner was revoked
    (processKey(manifest, id) ?? manifest.formerKeys.find((former) => former.id === id)) !==
      undefined &&
    (isNode
      ? [...manifest.agencies, ...manifest.formerKeys].some((agency) => agency.id === id)
      : [manifest.coordinator.id, manifest.auditor.id].includes(id));
  if (manifest && id !== undefined && !known) {
    faults.push({ at: 'manifest.json', kind: 'unknown-process' });
  }
  if (!manifest || id === undefined || !known) {
    return { dir, logDir, id, isNode, history, manifest, keys: undefined, faults };
  }
  return { dir, logDir, id, isNode, history, manifest, keys: keysOf(manifest, id), faults };
}

/** What a manifest says of the log of one of its processes. Throws `unknown-process`. */
export const keysOf = (manifest: Manifest, id: string): LogKeys => ({
  origin: logOrigin(manifest.federation, id),
  logKeys: allLogKeys(manifest, id).reverse(),
  verifierKeys: [
    ...allLogKeys(manifest, id),
    ...witnessVerifierKeys(manifest, id).values(),
    ...formerWitnessKeys(manifest, id),
  ],
  quorum: witnessQuorum(manifest, id),
});
