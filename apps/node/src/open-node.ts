import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { ConcordatError } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import { buildTree, type GridTree, parseDomainFile, type Resolution } from '#libs/grid';
import { osRandom, VERSION } from '#libs/host';
import { openBlobs, openJournal } from '#libs/journal';
import { loadSecret, noteSigner, PinnedManifest, ProcessKeys } from '#libs/keystore';
import { applyEntry, emptyLedger } from '#libs/ledger';
import { createLogger, type Logger, stopInOrder } from '#libs/nest-kit';
import { allLogKeys, logOrigin, type Manifest, type ManifestAgency } from '#libs/protocol';
import { openRecords, type Records } from '#libs/records';
import { decodeEntry, type Entry, encodeEntry } from '#libs/tlog';
import { activatePolicy } from './activate-policy.js';
import { coordinatorOf, loadConfig, nodePaths } from './config.js';
import type { Node } from './node.js';
import { applyToHolds, emptyHoldBook } from './requests/hold-book.js';
import { loadPolicies } from './signed-policy.js';
import { finishTurn } from './turn-key.js';
import { turns } from './turns.js';

/** This agency in a manifest. Throws `revoked`, `not-enrolled`. */
function enrolledAs({ agencies, formerKeys }: Manifest, id: string): ManifestAgency {
  const agency = agencies.find((candidate) => candidate.id === id);
  if (agency) return agency;
  if (formerKeys.some((key) => key.id === id)) {
    throw new ConcordatError(
      'revoked',
      'the federation has revoked this agency; ask its coordinator why, and enrol under a new id',
    );
  }
  throw new ConcordatError('not-enrolled', 'the manifest does not name this agency');
}

/**
 * Opens a node's folder and replays its log. Settings, key, manifest, domain and signed policy must all be there and fit together, or the
 * node does not start. Without `random`, noise is drawn from the operating system's CSPRNG; no command line or setting gives another.
 */
export async function openNode(
  dir: string,
  options: {
    readonly nowMs: () => number;
    /** Instead of the auditor's address in the settings. */
    readonly auditorUrl?: string | undefined;
    readonly random?: RandomSource;
    readonly logger?: Logger;
    /** Who opens it, for the log: the server unless given. */
    readonly process?: 'node' | 'cli';
  },
): Promise<Node> {
  const { nowMs } = options;
  const paths = nodePaths(dir);
  const config = loadConfig(dir);
  const keys = ProcessKeys.open(paths);
  const { key, box } = keys;
  const pinned = PinnedManifest.open(paths.manifest, coordinatorOf(config).publicKey);
  let agency = enrolledAs(pinned.manifest, config.agency);
  const { manifest } = pinned;
  const isTurning = keys.isTurning(agency);
  const domain = parseDomainFile(
    agency.id,
    gunzipSync(readFileSync(paths.domain)).toString('utf8'),
  );
  if (domain.hash !== agency.domain) {
    throw new ConcordatError(
      'wrong-domain',
      'the domain file is not the one that the manifest names',
    );
  }
  const { policies, digest } = loadPolicies(paths, agency.id, [
    key.publicKey,
    ...(isTurning ? [agency.publicKey] : []),
  ]);

  const origin = logOrigin(manifest.federation, agency.id);
  const journal = await openJournal({
    dir: paths.log,
    origin,
    signer: noteSigner(origin, key),
    formerKeys: allLogKeys(manifest, agency.id),
    clock: nowMs,
  });
  let records: Records | undefined;
  try {
    const ledger = emptyLedger();
    const holds = emptyHoldBook();
    const fold = (index: bigint, entry: Entry): void => {
      applyEntry(ledger, index, entry);
      applyToHolds(holds, index, entry);
    };
    for await (const { index, bytes } of journal.entries()) fold(index, decodeEntry(bytes));
    const secret = loadSecret(paths.recordSecret);
    const opened = await openRecords({ dir: paths.records, secret });
    records = opened;
    const trees = new Map<Resolution, GridTree>();
    const node: Node = {
      config,
      keys,
      key,
      box,
      auditorUrl: options.auditorUrl ?? config.auditor?.url,
      // who has this secret has the records; the sealing lib's derivation keeps its uses apart
      sealSecret: secret,
      pinned,
      get manifest() {
        return pinned.manifest;
      },
      get manifestHash() {
        return pinned.hash;
      },
      get agency() {
        // Revoked, it stays whoever it was, and nobody listens to it any more.
        agency = pinned.manifest.agencies.find(({ id }) => id === config.agency) ?? agency;
        return agency;
      },
      policies,
      policyDigest: digest,
      journal,
      logOrigin: origin,
      ledger,
      holds,
      blobs: await openBlobs({ dir: paths.blobs }),
      records: opened,
      random: options.random ?? osRandom(),
      logger: options.logger ?? createLogger(agency.id),
      nowMs,
      tree: (finest) => {
        const tree = trees.get(finest) ?? buildTree(domain, { finest });
        trees.set(finest, tree);
        return tree;
      },
      append: async (entry) => {
        const index = await journal.append(encodeEntry(entry));
        fold(index, entry);
        return index;
      },
      inTurn: turns(),
      close: () => stopInOrder(node.logger, [() => opened.close(), () => journal.close()]),
    };
    await node.append({
      kind: 'started',
      at: new Date(nowMs()).toISOString(),
      actor: agency.id,
      process: options.process ?? 'node',
      version: `concordat ${VERSION}`,
      ...(journal.recovered.tornBytes > 0 ? { truncatedBytes: journal.recovered.tornBytes } : {}),
    });
    if (isTurning) await finishTurn(node, paths);
    await activatePolicy(node);
    return node;
  } catch (error) {
    await records?.close();
    await journal.close();
    throw error;
  }
}
