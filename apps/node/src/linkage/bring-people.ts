import { readFileSync } from 'node:fs';
import { openJournal } from '#libs/journal';
import { loadBoxKey, loadSigningKey } from '#libs/keystore';
import { SealedFolder } from '#libs/linkage-party';
import { logOrigin, Manifest } from '#libs/protocol';
import { encodeEntry } from '#libs/tlog';
import { loadConfig, nodePaths } from '../config.js';
import { PEOPLE_DATASET, parsePeople, peopleDigest, writePeople } from './people.js';

/**
 * Takes a file of people into a node's folder and logs that it did, never how many. The numbers returned are for the operator's eyes. The
 * node must not be running (`log-locked`). Throws what `parsePeople` throws; then nothing changed.
 */
export async function bringPeople(
  dir: string,
  file: string,
  idColumn: string,
  nowMs: number,
): Promise<{ readonly people: number; readonly encounters: number }> {
  const paths = nodePaths(dir);
  const { agency } = loadConfig(dir);
  const key = loadSigningKey(paths.signingKey);
  const box = loadBoxKey(paths.boxKey);
  const people = parsePeople(file, idColumn);
  const { federation } = Manifest.pick({ federation: true })
    .strip()
    .parse(JSON.parse(readFileSync(paths.manifest, 'utf8')).payload);
  const origin = logOrigin(federation, agency);
  const journal = await openJournal({
    dir: paths.log,
    origin,
    signer: { name: origin, publicKey: key.publicKeyBytes, sign: (message) => key.sign(message) },
    clock: () => nowMs,
  });
  try {
    await writePeople(new SealedFolder(paths.linkage, box), people);
    await journal.append(
      encodeEntry({
        kind: 'ingest.batch',
        at: new Date(nowMs).toISOString(),
        verb: 'collection',
        actor: agency,
        purpose: 'linkage',
        dataset: PEOPLE_DATASET,
        versionDigest: peopleDigest(people, box),
        files: 1,
      }),
    );
  } finally {
    await journal.close();
  }
  return { people: people.people.length, encounters: people.encounters.length };
}
