/**
 * Full offline verification of one process's folder: the log itself (`verifyJournal`), what its entries say (order rules, budget,
 * policy), and every blob they name. Nothing is written; memory grows with the questions answered, not with the entries.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJournal, type VerifyReport, verifyJournal } from '#libs/journal';
import {
  type AuditOptions,
  type AuditReport,
  missingOf,
  NOTHING,
  reportOf,
  seedsOf,
  unsignedParts,
} from './audit-report.js';
import { EntryChecks } from './entry-checks.js';
import { keyFaults } from './key-faults.js';
import { checkManifests } from './manifest-steps.js';
import type { NamedBlobs } from './named-blobs.js';
import { checkPolicyDocuments } from './policy-documents.js';
import { type AuditFault, openProcessFolder } from './process-folder.js';
import { checkRelease } from './release-blobs.js';
import { hashBlobs, type StoredBlobs } from './stored-blobs.js';
import { checkWitnessed, originOf } from './witnessed.js';

/** Audits a folder. Throws `no-such-folder`, `not-a-process-folder` and `malformed-key`; everything else that is wrong is a fault. */
export async function auditFolder(dir: string, options: AuditOptions = {}): Promise<AuditReport> {
  const { onProgress = () => {} } = options;
  const folder = openProcessFolder(dir, options.key);
  const checks = new EntryChecks(onProgress);
  const quorum = folder.keys?.quorum ?? 0;
  if (!existsSync(folder.logDir)) {
    return reportOf(NOTHING, checks, quorum, [
      ...folder.faults,
      { at: 'log', kind: 'log-missing' },
    ]);
  }
  // without a manifest to trust there is no key, and nothing of the log can be believed
  if (!folder.keys) return reportOf(NOTHING, checks, quorum, folder.faults);

  const { keys, manifest, id, history } = folder;
  const { elsewhere = [] } = options;
  const ofThisLog = elsewhere.filter((note) => originOf(note) === keys.origin);
  onProgress('verifying the log');
  const log = await verifyJournal(folder.logDir, {
    verifierKeys: keys.verifierKeys,
    ...(keys.origin === undefined ? {} : { origin: keys.origin }),
    quorum,
    quorumOf: options.strict ? 'checkpoint' : 'history',
    known: [...(options.known ?? []), ...ofThisLog],
    onEntry: (index, bytes) => checks.check(index, bytes),
  });
  const faults: AuditFault[] = [...folder.faults, ...log.faults];
  if (log.unsigned.tornBytes > 0) faults.push({ at: 'entries.rec', kind: 'record-torn' });
  faults.push(...unsignedFaults(log, options));
  if (log.unsigned.entries > 0) await checkUnsigned(folder.logDir, log.size, checks);
  faults.push(...checks.faults, ...keyFaults(log.signedBy, keys.logKeys, checks.rotations));

  onProgress('hashing the blobs');
  const stored = async (name: string): Promise<StoredBlobs> => {
    const blobs = await hashBlobs(join(dir, name), (files) => {
      if (files % 500 === 0) onProgress(`${files} ${name} hashed`);
    });
    faults.push(...blobs.damaged.map((at) => ({ at: `${name}/${at}`, kind: 'blob-corrupt' })));
    return blobs;
  };
  const blobs = await stored('blobs');
  const ofRounds = await stored('rounds');
  await stored('uploads');
  faults.push(...(await checkAnswers(checks, blobs)));
  faults.push(...(await missingOf(checks.documents, blobs)));
  faults.push(...(await missingOf(checks.ofRounds, ofRounds)));
  faults.push(...(await checkManifests(checks.manifests, blobs, history)));
  for (const release of checks.national) {
    faults.push(...(await checkRelease(blobs, release, history)));
  }
  faults.push(...(await checks.policies.check(blobs)));
  if (manifest && id !== undefined) {
    const agency = manifest.agencies.find((candidate) => candidate.id === id);
    if (agency && folder.isNode) faults.push(...checkPolicyDocuments(dir, agency));
    faults.push(...checkWitnessed(dir, manifest, id, elsewhere));
  }
  return reportOf(log, checks, quorum, faults, [unsignedParts(checks, history), seedsOf(checks)]);
}

/** Entries after the checkpoint are a fault, unless the writer's own note covers them, or it is at work and signs them soon. */
function unsignedFaults(
  { size, unsigned }: VerifyReport,
  { strict = false, running = false }: AuditOptions,
): AuditFault[] {
  const vouched = strict ? 0 : unsigned.vouched;
  const mayBeSigned = !strict && (running || unsigned.isWritten);
  if (mayBeSigned || unsigned.entries <= vouched) return [];
  return [{ at: `entry ${size + BigInt(vouched)}`, kind: 'entries-unsigned' }];
}

/** Entries after the checkpoint are nobody's word yet, but they must keep the rules like all others. */
async function checkUnsigned(logDir: string, from: bigint, checks: EntryChecks): Promise<void> {
  for await (const { index, bytes } of readJournal(logDir, { unsigned: true })) {
    if (index >= from) checks.check(index, bytes);
  }
}

/** What a node answered lies among its blobs, and nowhere else. */
async function checkAnswers({ answers }: EntryChecks, blobs: NamedBlobs): Promise<AuditFault[]> {
  const named = answers.map(({ index, entry }) => ({ at: `entry ${index}`, hash: entry.blob }));
  return [
    ...answers.flatMap(({ index, entry }) =>
      entry.blob === entry.valueDigest ? [] : [{ at: `entry ${index}`, kind: 'blob-differs' }],
    ),
    ...(await missingOf(named, blobs)),
  ];
}
