import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { ConcordatError, fromBase64, toBase64 } from '#libs/bytes';
import { decodeShare, encodeShare, type KeyShare } from '#libs/linkage';

/** Finished columns of labels of a run that can be taken up again, and the shares they were made with. */
export interface Checkpoint {
  readonly shares: readonly [KeyShare, KeyShare, KeyShare];
  find(column: string): readonly (string | null)[] | undefined;
  save(column: string, labels: readonly (string | null)[]): void;
}

const refuse = (): never => {
  throw new ConcordatError(
    'other-checkpoint',
    'the checkpoint is of other files, keys or options: delete it or name another',
  );
};

/**
 * Opens or starts a checkpoint file: a header line with the digest of what is computed and the shares, then a line for each
 * column. A line that was cut off by a crash is computed again. Throws `other-checkpoint`. The file holds key shares: it is
 * written for its owner only and is for evaluation, never for a deployment's key.
 */
export function openCheckpoint(
  path: string,
  digest: string,
  makeShares: () => readonly [KeyShare, KeyShare, KeyShare],
): Checkpoint {
  const done = new Map<string, (string | null)[]>();
  let shares: readonly [KeyShare, KeyShare, KeyShare];
  if (existsSync(path)) {
    const [header = '', ...lines] = readFileSync(path, 'utf8').split('\n');
    try {
      const start = JSON.parse(header) as { digest: string; shares: [string, string, string] };
      if (start.digest !== digest) refuse();
      const [one, two, three] = start.shares.map((share) => decodeShare(fromBase64(share)));
      shares = [one as KeyShare, two as KeyShare, three as KeyShare];
    } catch {
      return refuse();
    }
    for (const line of lines) {
      try {
        const { column, labels } = JSON.parse(line) as {
          column: string;
          labels: (string | null)[];
        };
        done.set(column, labels);
      } catch {
        // The last line of an interrupted run: its column is computed again.
      }
    }
    // Start a fresh line after a torn one.
    appendFileSync(path, '\n');
  } else {
    shares = makeShares();
    const header = JSON.stringify({
      digest,
      shares: shares.map((share) => toBase64(encodeShare(share))),
    });
    writeFileSync(path, `${header}\n`, { mode: 0o600 });
  }
  return {
    shares,
    find: (column) => done.get(column),
    save(column, labels) {
      appendFileSync(path, `${JSON.stringify({ column, labels })}\n`);
    },
  };
}
