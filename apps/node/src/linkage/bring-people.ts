import { openJournal } from '#libs/journal';
import { loadSecret, noteSigner, PinnedManifest, ProcessKeys } from '#libs/keystore';
import { SealedFolder } from '#libs/linkage-party';
import { allLogKeys, logOrigin } from '#libs/protocol';
import { encodeEntry } from '#libs/tlog';
import { coordinatorOf, loadConfig, nodePaths } from '../config.js';
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
  const config = loadConfig(dir);
  const { agency } = config;
  const { key, box } = ProcessKeys.open(paths);
  const people = parsePeople(file, idColumn);
  const { manifest } = PinnedManifest.open(paths.manifest, coordinatorOf(config).publicKey);
  const origin = logOrigin(manifest.federation, agency);
  const journal = await openJournal({
    dir: paths.log,
    origin,
    signer: noteSigner(origin, key),
    formerKeys: allLogKeys(manifest, agency),
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
        versionDigest: peopleDigest(people, loadSecret(paths.recordSecret)),
        files: 1,
      }),
    );
  } finally {
    await journal.close();
  }
  return { people: people.people.length, encounters: people.encounters.length };
}
