import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseDomainFile } from '#libs/grid';
import { parseTaxonomy } from '#libs/harmonise';
import { packageRoot } from '#libs/host';
import { openJournal } from '#libs/journal';
import { loadSecret, loadSigningKey, noteSigner, PinnedManifest } from '#libs/keystore';
import { allLogKeys, logOrigin } from '#libs/protocol';
import { type IngestReport, openRecords, type Summary } from '#libs/records';
import { encodeEntry } from '#libs/tlog';
import { coordinatorOf, loadConfig, nodePaths } from './config.js';
import { heldVersion } from './held-version.js';
import { loadMappings } from './mappings.js';

const TAXONOMY = join(packageRoot(import.meta.url), 'policies', 'taxonomy', 'common-v1.yaml');

/**
 * Takes files into a node's records and logs that it did (which dataset version came of it, never how many rows). The node must not be
 * running: its log and its records have one writer.
 */
export async function ingest(
  dir: string,
  files: readonly string[],
  options: {
    readonly nowMs: number;
    readonly categories: readonly string[] | undefined;
    readonly onProgress: (rows: number, file: number, fileCount: number) => void;
  },
): Promise<IngestReport & { readonly months: readonly string[]; readonly held: Summary | null }> {
  const paths = nodePaths(dir);
  const config = loadConfig(dir);
  const key = loadSigningKey(paths.signingKey);
  const { manifest } = PinnedManifest.open(paths.manifest, coordinatorOf(config).publicKey);
  const origin = logOrigin(manifest.federation, config.agency);
  const journal = await openJournal({
    dir: paths.log,
    origin,
    signer: noteSigner(origin, key),
    formerKeys: allLogKeys(manifest, config.agency),
    clock: () => options.nowMs,
  });
  try {
    const records = await openRecords({
      dir: paths.records,
      secret: loadSecret(paths.recordSecret),
    });
    try {
      const dataset = config.dataset.name;
      const domain = parseDomainFile(
        config.agency,
        gunzipSync(readFileSync(paths.domain)).toString('utf8'),
      );
      let rowsBefore = 0;
      let current = { file: 0, rows: 0 };
      const report = await records.ingestFiles({
        dataset,
        files: files.map((path) => ({ path })),
        mapping: loadMappings(config.dataset.mapping, paths.mappings),
        taxonomy: parseTaxonomy(readFileSync(TAXONOMY, 'utf8')),
        categories: options.categories,
        domain,
        nowMs: options.nowMs,
        onProgress: ({ rows, fileNumber, fileCount }) => {
          if (fileNumber !== current.file) rowsBefore += current.rows;
          current = { file: fileNumber, rows };
          options.onProgress(rowsBefore + rows, fileNumber, fileCount);
        },
      });
      const taken = report.files.filter(
        ({ status }) => status === 'ingested' || status === 'revised',
      );
      const version = await heldVersion(records, dataset);
      if (!version) return { ...report, months: [], held: null };
      if (taken.length > 0) {
        await journal.append(
          encodeEntry({
            kind: 'ingest.batch',
            at: new Date(options.nowMs).toISOString(),
            verb: taken.some(({ status }) => status === 'revised') ? 'alteration' : 'collection',
            actor: config.agency,
            purpose: 'federated-analytics',
            dataset,
            versionDigest: version.digest,
            files: taken.length,
          }),
        );
        // signed at the next start, once the witnesses have been asked: this log may be an old copy
      }
      return { ...report, months: version.months, held: await records.summary(dataset) };
    } finally {
      await records.close();
    }
  } finally {
    await journal.close();
  }
}

/** Files of a folder that look like records, by name. */
export const filesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /\.(csv|tsv|tab|txt)(\.gz)?$/i.test(name))
    .sort()
    .map((name) => join(folder, name));
