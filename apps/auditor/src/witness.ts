/**
 * The auditor as witness: takes every log's newest checkpoint from the coordinator's relay, checks its signature against the pinned manifest,
 * and remembers it. A log whose tree shrinks, or shows two roots for one size, has been rewritten: that is an alarm, never a new state.
 */
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import {
  bytesToHex,
  ConcordatError,
  equalBytes,
  fromBase64url,
  sha256Hex,
  utf8ToBytes,
} from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import { type CheckpointPost, logOrigin, type Manifest } from '#libs/protocol';
import { type Checkpoint, formatVerifierKey, openCheckpoint } from '#libs/tlog';

/** What the auditor knows of one log. */
export interface WitnessedLog {
  readonly origin: string;
  readonly size: string;
  readonly root: string;
}

export class Witness {
  private readonly keys: ReadonlyMap<string, string>;
  private readonly newest = new Map<
    string,
    { readonly checkpoint: Checkpoint; readonly note: string }
  >();

  private constructor(
    private readonly dir: string,
    manifest: Manifest,
  ) {
    const processes = [manifest.coordinator, manifest.auditor, ...manifest.agencies];
    this.keys = new Map(
      processes.map(({ id, publicKey }) => [logOrigin(manifest.federation, id), publicKey]),
    );
  }

  /** Opens the folder of remembered checkpoints; each is verified again. */
  static async open(dir: string, manifest: Manifest): Promise<Witness> {
    await mkdir(dir, { recursive: true });
    const witness = new Witness(dir, manifest);
    for (const name of await readdir(dir)) {
      if (!name.endsWith('.note')) continue;
      const note = await readFile(join(dir, name), 'utf8');
      const origin = note.slice(0, note.indexOf('\n'));
      witness.newest.set(origin, { checkpoint: witness.verified(origin, note), note });
    }
    return witness;
  }

  /**
   * Takes a checkpoint and persists it before returning true; false when it is not newer than what is known.
   * Throws `log-shrank`, `log-forked`, `unknown-log`, or what opening a checkpoint throws.
   */
  async see({ origin, note }: CheckpointPost): Promise<boolean> {
    const checkpoint = this.verified(origin, note);
    const known = this.newest.get(origin)?.checkpoint;
    if (known && checkpoint.size < known.size) {
      throw new ConcordatError('log-shrank', 'a log shows fewer entries than it did before');
    }
    if (known && checkpoint.size === known.size) {
      if (!equalBytes(checkpoint.root, known.root)) {
        throw new ConcordatError('log-forked', 'a log shows two different histories of one length');
      }
      return false;
    }
    await this.persist(origin, note);
    this.newest.set(origin, { checkpoint, note });
    return true;
  }

  all(): WitnessedLog[] {
    return [...this.newest].map(([origin, { checkpoint }]) => ({
      origin,
      size: String(checkpoint.size),
      root: bytesToHex(checkpoint.root),
    }));
  }

  private verified(origin: string, note: string): Checkpoint {
    const publicKey = this.keys.get(origin);
    if (publicKey === undefined)
      throw new ConcordatError('unknown-log', 'no process of the manifest has this log');
    return openCheckpoint(note, {
      origin,
      logKeys: [formatVerifierKey({ name: origin, publicKey: fromBase64url(publicKey) })],
      verify: (signature, message, key) => verifySignature(key, message, signature),
    }).checkpoint;
  }

  private async persist(origin: string, note: string): Promise<void> {
    const path = join(this.dir, `${sha256Hex(utf8ToBytes(origin)).slice(0, 32)}.note`);
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(note);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  }
}
