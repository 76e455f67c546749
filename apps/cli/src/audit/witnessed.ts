/** What a process has witnessed: the notes it keeps of other logs, and the cosignatures of its own that others hold. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConcordatError, equalBytes, isConcordatError, sha256Hex, utf8ToBytes } from '#libs/bytes';
import { verifyEd25519ByNode } from '#libs/host';
import {
  allLogKeys,
  formerWitnessKeys,
  logOrigin,
  type Manifest,
  witnessVerifierKeys,
} from '#libs/protocol';
import { type Checkpoint, openCheckpoint, openNote } from '#libs/tlog';
import { type AuditFault, keysOf } from './process-folder.js';

const SUFFIX = '.checkpoint';

/** Origin that a note claims, whoever signed it; undefined when it is no checkpoint. */
export const originOf = (note: string): string | undefined => /^([^\n]+)\n\d+\n/.exec(note)?.[1];

/** The notes that a process's folder can show of logs: its own, and those it has witnessed. */
export function notesIn(dir: string): string[] {
  const read = (path: string): string[] => (existsSync(path) ? [readFileSync(path, 'utf8')] : []);
  const witnessed = join(dir, 'witnessed');
  const names = existsSync(witnessed) ? readdirSync(witnessed).sort() : [];
  return [
    ...read(join(dir, 'log', 'checkpoint')),
    ...names.filter((name) => name.endsWith(SUFFIX)).flatMap((name) => read(join(witnessed, name))),
  ];
}

/**
 * Checkpoint of a note of another log that this process cosigned; every line of it must be by a key of the manifest that fits.
 * Throws `unknown-log`, and what `openNote` and `openCheckpoint` throw.
 */
function openCosigned(note: string, manifest: Manifest, id: string): Checkpoint {
  const origin = originOf(note) ?? '';
  const owner = origin.split('/').at(-1) ?? '';
  // also of a log whose key changed or whose owner was revoked since: what was witnessed stays so
  const isKnown =
    origin === logOrigin(manifest.federation, owner) &&
    [manifest.coordinator, manifest.auditor, ...manifest.agencies, ...manifest.formerKeys].some(
      (process) => process.id === owner,
    );
  const ownName = logOrigin(manifest.federation, id);
  const ownKeys = isKnown
    ? [
        ...witnessVerifierKeys(manifest, owner).values(),
        ...formerWitnessKeys(manifest, owner),
      ].filter((key) => key.startsWith(`${ownName}+`))
    : [];
  if (ownKeys.length === 0) {
    throw new ConcordatError('unknown-log', 'the note is of no log that this process witnesses');
  }
  const { verifierKeys } = keysOf(manifest, owner);
  const body = note.lastIndexOf('\n\n') + 2;
  for (const line of note.slice(body).split('\n').slice(0, -1)) {
    openNote(`${note.slice(0, body)}${line}\n`, verifierKeys, verifyEd25519ByNode);
  }
  return openCheckpoint(note, {
    origin,
    logKeys: allLogKeys(manifest, owner),
    witnessKeys: ownKeys,
    quorum: 1,
    verify: verifyEd25519ByNode,
  }).checkpoint;
}

/**
 * Verifies the notes in `witnessed/`: each under the name of its log, signed by that log and cosigned by this process. And that this
 * process still holds at least what it has cosigned by the notes that others show (`elsewhere`).
 */
export function checkWitnessed(
  dir: string,
  manifest: Manifest,
  id: string,
  elsewhere: readonly string[],
): AuditFault[] {
  const folder = join(dir, 'witnessed');
  const faults: AuditFault[] = [];
  const held = new Map<string, Checkpoint>();
  for (const name of existsSync(folder) ? readdirSync(folder).sort() : []) {
    if (!name.endsWith(SUFFIX)) continue;
    const at = `witnessed/${name}`;
    try {
      const checkpoint = openCosigned(readFileSync(join(folder, name), 'utf8'), manifest, id);
      held.set(checkpoint.origin, checkpoint);
      if (name !== `${sha256Hex(utf8ToBytes(checkpoint.origin))}${SUFFIX}`)
        faults.push({ at, kind: 'witnessed-misplaced' });
    } catch (error) {
      if (!isConcordatError(error)) throw error;
      faults.push({ at, kind: error.code });
    }
  }
  elsewhere.forEach((note, i) => {
    let shown: Checkpoint;
    try {
      shown = openCosigned(note, manifest, id);
    } catch (error) {
      if (!isConcordatError(error)) throw error;
      return; // not cosigned by this process, or not of this federation: it says nothing here
    }
    const kept = held.get(shown.origin);
    const isForgotten =
      !kept ||
      kept.size < shown.size ||
      (kept.size === shown.size && !equalBytes(kept.root, shown.root));
    if (isForgotten)
      faults.push({ at: `witnessed ${shown.origin} (note ${i})`, kind: 'witness-forgot' });
  });
  return faults;
}
