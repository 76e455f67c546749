/** Full verification of a log as it is published, and of what it names, over HTTP from a host that may be anybody's. */
import { verifyPublishedLog } from '#libs/journal';
import type { ManifestHistory } from '#libs/protocol';
import {
  type AuditOptions,
  type AuditReport,
  missingOf,
  reportOf,
  seedsOf,
  unsignedParts,
} from './audit-report.js';
import { EntryChecks } from './entry-checks.js';
import { keyFaults } from './key-faults.js';
import { checkManifests } from './manifest-steps.js';
import type { Unchecked } from './named-blobs.js';
import type { AuditFault, LogKeys } from './process-folder.js';
import { PublishedBlobs } from './published-blobs.js';
import type { FetchLimits } from './published-files.js';
import { PublishedLogFiles } from './published-log-files.js';
import { checkRelease } from './release-blobs.js';
import { originOf } from './witnessed.js';

/** Where a log is published, and the blobs that it names. */
export interface PublishedLog {
  /** Ends with a slash; `checkpoint` and `tile/` are below. */
  readonly logUrl: URL;
  readonly keys: LogKeys;
  /** Verifies signatures; undefined when only a key of the log is known. */
  readonly history: ManifestHistory | undefined;
  readonly limits?: FetchLimits;
  readonly maxBlobBytes?: number;
  /** Leaves out what the log names by hash, as for a mirror of the log alone. */
  readonly isLogOnly?: boolean;
}

/**
 * Audits a log as it is published, with the blobs in the folder `blobs/` beside it (`v1/log/` and `v1/blobs/` of a coordinator): what
 * `auditFolder` does, without what is not published; the report says what that is. Throws `unreachable`, `redirected`.
 */
export async function auditPublishedLog(
  { logUrl, keys, history, limits, maxBlobBytes, isLogOnly = false }: PublishedLog,
  options: AuditOptions,
): Promise<AuditReport> {
  const { onProgress = () => {} } = options;
  const checks = new EntryChecks(onProgress);
  const files = new PublishedLogFiles(logUrl, limits);
  onProgress(`reading ${logUrl}`);
  const log = await verifyPublishedLog((path) => files.read(path), {
    verifierKeys: keys.verifierKeys,
    ...(keys.origin === undefined ? {} : { origin: keys.origin }),
    quorum: options.strict ? keys.quorum : 0,
    known: [
      ...(options.known ?? []),
      ...(options.elsewhere ?? []).filter((note) => originOf(note) === keys.origin),
    ],
    onEntry: (index, bytes) => checks.check(index, bytes),
  });
  const faults: AuditFault[] = [
    ...log.faults,
    ...files.faults,
    ...checks.faults,
    ...keyFaults(log.signedBy, keys.logKeys, checks.rotations),
  ];
  const unchecked = [...notPublished(checks), seedsOf(checks)];
  if (isLogOnly) {
    const { national, manifests, documents, policies } = checks;
    const count = national.length + manifests.length + documents.length + policies.count;
    unchecked.push({ what: 'blobs', count, why: 'left out with --log-only' });
  } else {
    const blobs = new PublishedBlobs(new URL('../blobs/', logUrl), {
      onProgress,
      limits,
      maxBlobBytes,
    });
    const published = await checkPublishedBlobs(checks, blobs, history);
    faults.push(...published.faults, ...blobs.faults);
    unchecked.push(...published.unchecked, {
      what: 'blobs',
      count: blobs.unasked,
      why: 'not asked for any more, since the host had failed too often',
    });
  }
  return reportOf(log, checks, keys.quorum, faults, unchecked);
}

async function checkPublishedBlobs(
  checks: EntryChecks,
  blobs: PublishedBlobs,
  history: ManifestHistory | undefined,
): Promise<{ readonly faults: AuditFault[]; readonly unchecked: Unchecked[] }> {
  const faults = await missingOf(checks.documents, blobs);
  faults.push(...(await checkManifests(checks.manifests, blobs, history)));
  for (const release of checks.national) {
    faults.push(...(await checkRelease(blobs, release, history)));
  }
  // an agency need not publish its policies; those that it does publish are judged
  const policies = await checks.policies.check(blobs);
  const isAbsent = ({ kind }: AuditFault): boolean => kind === 'policy-missing';
  faults.push(...policies.filter((fault) => !isAbsent(fault)));
  const unchecked = [
    unsignedParts(checks, history),
    {
      what: 'policies of the agency',
      count: policies.filter(isAbsent).length,
      why: 'its host does not publish them; they lie in its folder',
    },
  ];
  return { faults, unchecked };
}

/** What no process publishes, however well it is asked. */
const notPublished = ({ answers, ofRounds }: EntryChecks): Unchecked[] => [
  {
    what: 'history of checkpoints and record file',
    count: 1,
    why: 'they stay with the owner of the log; --known takes what others have seen',
  },
  {
    what: 'answers of the agency',
    count: answers.length,
    why: 'one agency alone is not published; they lie in its folder',
  },
  {
    what: 'questions and contributions of rounds',
    count: ofRounds.length,
    why: 'the coordinator keeps them to itself; what it made of them is checked',
  },
];
