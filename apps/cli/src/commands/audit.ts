import { readFileSync, statSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import { CheckpointPost, type ManifestHistory, PublicKey } from '#libs/protocol';
import { parseVerifierKey } from '#libs/tlog';
import { auditFolder } from '../audit/audit-folder.js';
import { auditPublishedLog } from '../audit/audit-published.js';
import type { AuditOptions, AuditReport } from '../audit/audit-report.js';
import { makePack, verifyPack } from '../audit/evidence-pack.js';
import {
  keysOf,
  type LogKeys,
  openManifest,
  openManifestHistory,
} from '../audit/process-folder.js';
import { readPublished } from '../audit/published-files.js';
import { PublishedLogFiles } from '../audit/published-log-files.js';
import { registerRows, toCsv } from '../audit/register.js';
import { notesIn, originOf } from '../audit/witnessed.js';

const printJson = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};
const tell = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
const isUrl = (target: string): boolean => /^https?:\/\//.test(target);

const collect = (value: string, all: readonly string[]): string[] => [...all, value];

/** Reads a small text file that a person named. Throws `no-such-file`. */
export function readNamed(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new ConcordatError('no-such-file', `${path} cannot be read`);
  }
}

interface OutFlags {
  readonly out: string;
  readonly force?: boolean;
  readonly key?: string;
  readonly json?: boolean;
}

/** Writes the file that `--out` names; over one that is there with `--force` only. Throws `file-exists`, `unwritable-file`. */
function writeNamed({ out: path, force }: OutFlags, text: string): void {
  try {
    writeFileSync(path, text, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new ConcordatError(
        'file-exists',
        `${path} is there already: name another file, or add --force to write over it`,
      );
    }
    throw new ConcordatError(
      'unwritable-file',
      `${path} cannot be written; give --out a file in a folder that exists`,
      { cause: error },
    );
  }
}

/** Errors of the disk get a code: an unreadable folder is no fault of this program. */
async function onDisk<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (isConcordatError(error) || typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) throw error;
    throw new ConcordatError('folder-unreadable', `the folder cannot be read (${code})`, {
      cause: error,
    });
  }
}

/** The newest notes of hundreds of logs. */
const MAX_CHECKPOINTS_BYTES = 16 << 20;

/** What `--known` names: one checkpoint, or whatever a process's folder or a coordinator can show of any log. */
async function notesOf(source: string): Promise<Pick<AuditOptions, 'known' | 'elsewhere'>> {
  if (isUrl(source)) {
    const base = new URL(source.endsWith('/') ? source : `${source}/`);
    const bytes = await readPublished(new URL('v1/checkpoints', base), MAX_CHECKPOINTS_BYTES);
    const reply = CheckpointList.safeParse(parseJson(Buffer.from(bytes ?? []).toString('utf8')));
    if (!reply.success)
      throw new ConcordatError('no-checkpoints', `no coordinator answers at ${source}`);
    return { elsewhere: reply.data.checkpoints.map(({ note }) => note) };
  }
  if (!statSync(source, { throwIfNoEntry: false })?.isDirectory())
    return { known: [readNamed(source)] };
  const elsewhere = notesIn(source);
  if (elsewhere.length === 0) {
    throw new ConcordatError('no-checkpoints', `${source} holds no checkpoint of any log`);
  }
  return { elsewhere };
}

const CheckpointList = z.object({ checkpoints: z.array(CheckpointPost) });

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

interface AuditFlags {
  readonly json?: boolean;
  readonly key?: string;
  readonly manifest?: string;
  readonly known: readonly string[];
  readonly strict?: boolean;
  readonly running?: boolean;
  readonly logOnly?: boolean;
}

/** Keys of a published log: `--key name+id+base64`, or a manifest and the name in the log's checkpoint. */
function keysOfPublished(
  flags: AuditFlags,
  origin: string,
): { readonly keys: LogKeys; readonly history: ManifestHistory | undefined } {
  if (flags.key?.includes('+')) {
    parseVerifierKey(flags.key);
    const keys = { origin: undefined, verifierKeys: [flags.key], logKeys: [flags.key], quorum: 0 };
    return { keys, history: undefined };
  }
  if (flags.manifest === undefined) {
    throw new ConcordatError('usage', 'a published log is audited with --manifest FILE or --key');
  }
  if (flags.key !== undefined && !PublicKey.safeParse(flags.key).success) {
    throw new ConcordatError('malformed-key', "--key takes the coordinator's public key");
  }
  const history = openManifestHistory(flags.manifest, flags.key);
  return { keys: keysOf(history.manifest, origin.split('/').at(-1) ?? ''), history };
}

/** Where a log is published: at the address itself, or where a coordinator or an auditor at that address serves its own. */
async function findPublished(
  target: string,
): Promise<{ readonly logUrl: URL; readonly origin: string }> {
  const base = target.endsWith('/') ? target : `${target}/`;
  for (const prefix of [base, `${base}v1/log/`]) {
    const logUrl = new URL(prefix);
    const note = await new PublishedLogFiles(logUrl).read('checkpoint');
    const origin = originOf(Buffer.from(note ?? []).toString('utf8'));
    if (origin !== undefined) return { logUrl, origin };
  }
  throw new ConcordatError('log-missing', `no log is published at ${target}`);
}

async function runAudit(target: string, flags: AuditFlags): Promise<void> {
  const sources = await Promise.all(flags.known.map(notesOf));
  const options: AuditOptions = {
    key: flags.key,
    known: sources.flatMap(({ known = [] }) => known),
    elsewhere: sources.flatMap(({ elsewhere = [] }) => elsewhere),
    strict: flags.strict ?? false,
    running: flags.running ?? false,
    onProgress: (text) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
    },
  };
  let report: AuditReport;
  if (isUrl(target)) {
    const { logUrl, origin } = await findPublished(target);
    const { keys, history } = keysOfPublished(flags, origin);
    const isLogOnly = flags.logOnly ?? false;
    report = await auditPublishedLog({ logUrl, keys, history, isLogOnly }, options);
  } else {
    report = await onDisk(() => auditFolder(target, options));
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  if (flags.json) printJson(report);
  else tell(formatReport(report));
  if (!report.ok) process.exitCode = 1;
}

/** The report as people read it. */
function formatReport(report: AuditReport): string {
  const { cosigned, faults } = report;
  const seen =
    cosigned.quorum === 0
      ? 'no witnesses are asked for'
      : `${cosigned.latest} on the newest checkpoint; ${cosigned.quorum} or more up to entry ${cosigned.size ?? 0}`;
  const spent = Object.entries(report.spent).flatMap(([dataset, years]) =>
    Object.entries(years).map(([year, rho]) => `${dataset} ${year}: rho ${rho}`),
  );
  const lines = [
    `log           ${report.origin || 'not to be trusted'}`,
    `signed        ${report.size} entries, root ${report.root.slice(0, 16)}`,
    `checkpoints   ${report.checkpoints} kept`,
    `cosignatures  ${seen}`,
    `releases      ${report.releases}`,
    ...spent.map((line, i) => `${i === 0 ? 'spent         ' : '              '}${line}`),
    ...(report.unsigned > 0
      ? [`unsigned      ${report.unsigned} entries after the checkpoint`]
      : []),
    ...report.unchecked.map(
      ({ what, count, why }, i) =>
        `${i === 0 ? 'not checked   ' : '              '}${count === 1 ? '' : `${count} `}${what}: ${why}`,
    ),
    faults.length === 0
      ? 'OK: every byte that was checked is what was signed'
      : `NOT OK: ${faults.length} fault${faults.length === 1 ? '' : 's'}`,
    ...faults.slice(0, 20).map(({ at, kind }) => `  ${kind} at ${at}`),
    ...(faults.length > 20 ? [`  and ${faults.length - 20} more; see --json`] : []),
  ];
  return lines.join('\n');
}

/** `concordat audit`: verification of a log by anyone, and what is taken from a verified one. */
export function registerAudit(program: Command): void {
  const audit = program
    .command('audit')
    .description("verify a process's folder, or a published log, offline")
    .argument('<folder-or-url>', 'folder of one process, or where its log is published')
    .option('--json', 'print one JSON document on stdout')
    .option(
      '--key <key>',
      "the coordinator's public key that must have signed the manifest, or a verifier key of the log",
    )
    .option('--manifest <file>', 'signed manifest to take the keys of a published log from')
    .option(
      '--known <file-or-folder-or-url>',
      'what others have seen: a checkpoint of this log, the folder of another process, or a coordinator; may be repeated',
      collect,
      [],
    )
    .option(
      '--strict',
      'demand that the newest checkpoint has its quorum of witnesses and covers every entry',
    )
    .option(
      '--running',
      'the folder is a copy from a process at work, or its process was killed: allow entries that nothing signs yet',
    )
    .option('--log-only', 'of a published log: leave out the blobs that it names by hash')
    .addHelpText(
      'after',
      `
Exit code 0 when everything verifies, 1 when anything does not, 3 when an address does not answer. What was not checked is told.

Examples:
  concordat audit federation/avon-and-somerset-police
  concordat audit federation/coordinator --json
  concordat audit federation/auditor --key COORDINATOR-KEY --known checkpoint-of-last-year
  concordat audit federation/bristol-council --known federation/auditor --known https://concordat.example
  concordat audit https://concordat.example --manifest manifest.json
  concordat audit export federation/bristol-council --format csv --out register.csv
  concordat audit pack federation/bristol-council --fingerprint F --out evidence.json
  concordat audit verify-pack evidence.json --manifest manifest.json`,
    )
    .action(runAudit);

  audit
    .command('export')
    .description('write what was done with personal data: the log of DPA 2018 section 62')
    .argument('<folder>', 'folder of one process, which is verified first')
    .requiredOption('--format <format>', 'csv or json')
    .requiredOption('--out <file>', 'file to write')
    .option('--force', 'write over a file that is there')
    .option('--key <key>', 'as for audit')
    .option('--json', 'print one JSON document on stdout')
    .addHelpText(
      'after',
      '\nExample:\n  concordat audit export DIR --format csv --out register.csv',
    )
    .action(async (dir: string, flags: OutFlags & { readonly format: string }) => {
      if (!['csv', 'json'].includes(flags.format)) {
        throw new ConcordatError('usage', '--format is csv or json');
      }
      await onDisk(async () => {
        await demandSound(dir, flags.key);
        const rows = await registerRows(dir);
        const text = flags.format === 'csv' ? toCsv(rows) : `${JSON.stringify(rows, null, 2)}\n`;
        writeNamed(flags, text);
        if (flags.json) printJson({ out: flags.out, operations: rows.length });
        else tell(`wrote ${rows.length} operations to ${flags.out}`);
      });
    });

  audit
    .command('pack')
    .description('write all evidence about one query as one file that another machine can verify')
    .argument('<folder>', 'folder of one process, which is verified first')
    .requiredOption('--fingerprint <hash>', 'fingerprint of the query')
    .requiredOption('--out <file>', 'file to write')
    .option('--force', 'write over a file that is there')
    .option('--key <key>', 'as for audit')
    .option('--json', 'print one JSON document on stdout')
    .addHelpText(
      'after',
      '\nExample:\n  concordat audit pack DIR --fingerprint FINGERPRINT --out evidence.json',
    )
    .action(async (dir: string, flags: OutFlags & { readonly fingerprint: string }) => {
      await onDisk(async () => {
        await demandSound(dir, flags.key);
        const pack = await makePack(dir, flags.fingerprint, flags.key);
        writeNamed(flags, `${JSON.stringify(pack, null, 2)}\n`);
        if (flags.json) printJson({ out: flags.out, entries: pack.entries.length });
        else tell(`wrote ${pack.entries.length} entries with their proofs to ${flags.out}`);
      });
    });

  audit
    .command('verify-pack')
    .description('verify an evidence pack with the manifest alone')
    .argument('<file>', 'evidence pack')
    .requiredOption('--manifest <file>', 'signed federation manifest')
    .option('--key <key>', "the coordinator's public key that must have signed the manifest")
    .option('--json', 'print one JSON document on stdout')
    .addHelpText(
      'after',
      '\nExample:\n  concordat audit verify-pack evidence.json --manifest manifest.json',
    )
    .action((file: string, flags: { manifest: string; key?: string; json?: boolean }) => {
      const manifest = openManifest(flags.manifest, flags.key);
      const verified = verifyPack(readNamed(file), manifest);
      if (flags.json) printJson({ ok: true, ...verified });
      else {
        tell(`${verified.origin} holds these entries among ${verified.size}:`);
        for (const { index, at, kind } of verified.entries) tell(`  ${index}  ${at}  ${kind}`);
        tell(`cosigned by ${verified.cosigners} witnesses; ${verified.quorum} are asked for`);
        tell('OK');
      }
    });
}

/** What is taken out of a log is worth nothing unless the log verifies. Throws `audit-failed`. */
async function demandSound(dir: string, key: string | undefined): Promise<void> {
  const report = await auditFolder(dir, { key });
  if (report.ok) return;
  const [first] = report.faults;
  throw new ConcordatError(
    'audit-failed',
    `the folder does not verify (${first?.kind} at ${first?.at}); see: concordat audit ${dir}`,
  );
}
