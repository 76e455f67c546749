import type { Command } from 'commander';
import { ConcordatError } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import { Receipt, type Signed, signedSchema, verifyReceipt } from '#libs/protocol';
import { openManifestHistory } from '../audit/process-folder.js';
import { readNamed } from './audit.js';

const SignedReceipt = signedSchema(Receipt);

function parseReceipt(text: string): Signed<Receipt> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new ConcordatError('bad-receipt', 'the file is not JSON');
  }
  const parsed = SignedReceipt.safeParse(document);
  if (!parsed.success) throw new ConcordatError('bad-receipt', 'the file is not a signed receipt');
  return parsed.data as Signed<Receipt>;
}

/** `concordat receipt verify`: an answer's receipt, checked with the manifest alone. */
export function registerReceipt(program: Command): void {
  program
    .command('receipt')
    .description('check what a node signed about one answer')
    .command('verify')
    .description(
      "verify a receipt: its agency's signature, and that its release is in the agency's log",
    )
    .argument('<file>', 'signed receipt, JSON')
    .requiredOption('--manifest <file>', 'signed federation manifest')
    .option('--key <key>', "the coordinator's public key that must have signed the manifest")
    .option('--json', 'print one JSON document on stdout')
    .addHelpText(
      'after',
      `
Example:
  curl -o receipt.json https://concordat.example/v1/blobs/RECEIPT-HASH
  concordat receipt verify receipt.json --manifest manifest.json
RECEIPT-HASH stands in the header of the release: https://concordat.example/v1/blobs/RELEASE-ID`,
    )
    .action((file: string, flags: { manifest: string; key?: string; json?: boolean }) => {
      const history = openManifestHistory(flags.manifest, flags.key);
      const signed = parseReceipt(readNamed(file));
      const manifest = history.named(signed.payload.manifest);
      if (!manifest) {
        throw new ConcordatError('wrong-manifest', 'the receipt was made under another manifest');
      }
      const receipt = verifyReceipt(signed, manifest, verifySignature);
      const { agency, dataset, rho, grant, fingerprint, valueDigest, policyDigest, log, at } =
        receipt;
      const facts = { agency, dataset, rho, grant, fingerprint, valueDigest, policyDigest, at };
      if (flags.json) {
        process.stdout.write(`${JSON.stringify({ ok: true, ...facts, entry: log.index })}\n`);
        return;
      }
      for (const [name, value] of Object.entries(facts)) {
        process.stderr.write(`${name.padEnd(13)} ${value}\n`);
      }
      process.stderr.write(`OK: entry ${log.index} of ${log.origin}\n`);
    });
}
