/** The keys of the federation's logs and witnesses in the form that logs are verified with, out of the manifest. */
import { ConcordatError, fromBase64url } from '#libs/bytes';
import { formatVerifierKey } from '#libs/tlog';
import type { Manifest } from './manifest.js';
import { logOrigin } from './names.js';

const processesOf = ({ coordinator, auditor, agencies }: Manifest) => [
  coordinator,
  auditor,
  ...agencies,
];

/** Public key of a process of the federation, in base64url; undefined for a stranger. */
export const processKey = (manifest: Manifest, id: string): string | undefined =>
  processesOf(manifest).find((process) => process.id === id)?.publicKey;

/** X25519 key of a process of the federation, in base64url; undefined for a stranger. */
export const processBoxKey = (manifest: Manifest, id: string): string | undefined =>
  processesOf(manifest).find((process) => process.id === id)?.boxKey;

/**
 * Public keys that a process signed with at some time since the manifest of `serial` was in force, newest first: what it said about a round
 * that was opened then.
 */
export function signingKeysSince(newest: Manifest, id: string, serial: number): string[] {
  const present = processKey(newest, id);
  const former = newest.formerKeys.filter((key) => key.id === id && key.until >= serial).reverse();
  return [...(present === undefined ? [] : [present]), ...former.map((key) => key.publicKey)];
}

type KeyType = 'ed25519' | 'cosignature/v1';

const formatKey = (manifest: Manifest, id: string, publicKey: string, type: KeyType): string =>
  formatVerifierKey(
    { name: logOrigin(manifest.federation, id), publicKey: fromBase64url(publicKey) },
    type,
  );

function verifierKey(manifest: Manifest, id: string, type: KeyType): string {
  const publicKey = processKey(manifest, id);
  if (publicKey === undefined) {
    throw new ConcordatError('unknown-process', 'the manifest names no process of this id');
  }
  return formatKey(manifest, id, publicKey, type);
}

/** Verifier key of the log of a process (C2SP signed-note, `name+id+base64`). Throws `unknown-process`. */
export const logVerifierKey = (manifest: Manifest, id: string): string =>
  verifierKey(manifest, id, 'ed25519');

/**
 * Verifier keys that ever signed the log of a process, the one in force first, then those before it, newest first. A process that was
 * revoked has former keys only. Throws `unknown-process`.
 */
export function allLogKeys(manifest: Manifest, id: string): string[] {
  const present = processKey(manifest, id);
  const former = manifest.formerKeys.filter((key) => key.id === id).reverse();
  const keys = [...(present === undefined ? [] : [present]), ...former.map((key) => key.publicKey)];
  if (keys.length === 0) {
    throw new ConcordatError('unknown-process', 'the manifest never named a process of this id');
  }
  return keys.map((publicKey) => formatKey(manifest, id, publicKey, 'ed25519'));
}

/** Verifier keys of the logs of all processes, by origin: what a witness is opened with. */
export const logVerifierKeys = (manifest: Manifest): ReadonlyMap<string, readonly string[]> =>
  new Map(
    processesOf(manifest).map(({ id }) => [
      logOrigin(manifest.federation, id),
      [logVerifierKey(manifest, id)],
    ]),
  );

/** Asked for with every message of a witness, and the same for as long as the manifest is. */
const witnessKeys = new WeakMap<Manifest, Map<string, ReadonlyMap<string, string>>>();

/**
 * Cosignature keys of the witnesses of a process's log, by witness: all that the manifest names but itself. Throws
 * `unknown-process` for a witness that is no process of the federation.
 */
export function witnessVerifierKeys(manifest: Manifest, id: string): ReadonlyMap<string, string> {
  const known = witnessKeys.get(manifest) ?? new Map<string, ReadonlyMap<string, string>>();
  witnessKeys.set(manifest, known);
  const keys =
    known.get(id) ??
    new Map(
      manifest.witnesses
        .filter((witness) => witness !== id)
        .map((witness) => [witness, verifierKey(manifest, witness, 'cosignature/v1')]),
    );
  known.set(id, keys);
  return keys;
}

/** Cosignature keys that others than `id` had before: what they cosigned with them stays verifiable. */
export const formerWitnessKeys = (manifest: Manifest, id: string): string[] =>
  manifest.formerKeys
    .filter((key) => key.id !== id && key.id !== manifest.coordinator.id)
    .map((key) => formatKey(manifest, key.id, key.publicKey, 'cosignature/v1'));

/** How many of the witnesses of a process's log must have seen it: the manifest's quorum, or all there are besides itself when they are fewer. */
export const witnessQuorum = (manifest: Manifest, id: string): number =>
  Math.min(manifest.quorum, manifest.witnesses.filter((witness) => witness !== id).length);

/** Keys of a process's log and of its witnesses, and their quorum: what it keeps its own log with. Throws `unknown-process`. */
export const witnessedLogKeys = (
  manifest: Manifest,
  id: string,
): {
  readonly logKeys: readonly string[];
  readonly witnesses: ReadonlyMap<string, string>;
  readonly quorum: number;
} => ({
  logKeys: allLogKeys(manifest, id),
  witnesses: witnessVerifierKeys(manifest, id),
  quorum: witnessQuorum(manifest, id),
});
