import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { ConcordatError } from '#libs/bytes';
import { tellParent } from '#libs/nest-kit';
import { filesIn, ingest } from '../ingest.js';
import { formatReport } from '../ingest-report.js';
import { ensureManifest } from '../take-manifest.js';

/** A file, or the record files of a folder. Throws `no-such-file`, `no-record-files`. */
function recordFiles(path: string): readonly string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found)
    throw new ConcordatError('no-such-file', `${path} does not exist; name a record file`);
  if (!found.isDirectory()) return [path];
  const files = filesIn(path);
  if (files.length === 0) {
    throw new ConcordatError('no-record-files', `${path} holds no .csv or .tsv file, nor one .gz`);
  }
  return files;
}

/** `concordat node ingest`: takes record files in. */
export function registerIngest(program: Command): void {
  program
    .command('ingest')
    .description('take record files in; a file that was taken before changes nothing')
    .requiredOption('--dir <folder>', 'folder of the node, which must not be running')
    .option('--json', 'print the report as JSON')
    .option(
      '--categories <list>',
      'categories that these files cover, when fewer than the mapping says',
    )
    .option('--refused-ok', 'exit 0 although files were refused')
    .argument('<files...>', 'CSV or TSV files, also gzipped; a folder stands for the files in it')
    .addHelpText(
      'after',
      '\nExample:\n  concordat node ingest --dir /var/lib/concordat/my-force 2024-06-my-force-street.csv',
    )
    .action(async (paths: string[], options) => {
      const files = paths.flatMap(recordFiles);
      await ensureManifest(options.dir);
      const report = await ingest(options.dir, files, {
        nowMs: Date.now(),
        categories: options.categories?.split(','),
        onProgress: (rows, file, fileCount) => {
          tellParent({ type: 'progress', rows, file, fileCount });
          if (process.stderr.isTTY)
            process.stderr.write(`\r${rows} rows, file ${file} of ${fileCount} `);
        },
      });
      if (process.stderr.isTTY) process.stderr.write('\n');
      tellParent({ type: 'ingested', report });
      process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : formatReport(report));
      if (!options.refusedOk && report.files.some(({ status }) => status === 'refused'))
        process.exitCode = 1;
    });
}
