import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConcordatError } from '#libs/bytes';
import { replaceFileSync } from '#libs/host';
import { type Manifest, ManifestHistory, type ManifestStep, takeStep } from '#libs/protocol';
import { verifySignature } from './signing-key.js';

/**
 * The manifest that a process believes, in its `manifest.json`. It is replaced by what follows from it only, step by step, and never goes
 * back: a step is verified, then durable, then in force.
 */
export class PinnedManifest {
  private constructor(
    private readonly path: string,
    private readonly history: ManifestHistory,
  ) {}

  /** Opens the file of a process that pinned the coordinator's `publicKey`. Throws `manifest-missing` and what `ManifestHistory.open` throws. */
  static open(path: string, publicKey: string): PinnedManifest {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch {
      throw new ConcordatError(
        'manifest-missing',
        `${path} cannot be read; enrol this process, or put the signed federation manifest there`,
      );
    }
    let document: unknown;
    try {
      document = JSON.parse(text);
    } catch {
      throw new ConcordatError('malformed-message', `${path} is not JSON; fetch it again`);
    }
    return new PinnedManifest(path, ManifestHistory.open(document, publicKey, verifySignature));
  }

  /** Verifies a manifest or history that came from elsewhere against the pinned key. Throws what `ManifestHistory.open` throws. */
  static read(document: unknown, publicKey: string): ManifestHistory {
    return ManifestHistory.open(document, publicKey, verifySignature);
  }

  /** The same, and keeps it. */
  static create(path: string, document: unknown, publicKey: string): PinnedManifest {
    const history = ManifestHistory.open(document, publicKey, verifySignature);
    const pinned = new PinnedManifest(path, history);
    mkdirSync(dirname(path), { recursive: true });
    replaceFileSync(path, pinned.text(), { mode: 0o644 });
    return pinned;
  }

  get manifest(): Manifest {
    return this.history.manifest;
  }

  get hash(): string {
    return this.history.hash;
  }

  /** A manifest that is, or was, in force, by its hash. */
  named(hash: string): Manifest | undefined {
    return this.history.named(hash);
  }

  /** Every box key that a process had under a manifest of this history, newest first. */
  boxKeysOf(id: string): string[] {
    return this.history.boxKeysOf(id);
  }

  /** Takes the next step. Throws what `takeStep` throws, and then stands as before; so it does when the disk is full. */
  extend(step: ManifestStep): Manifest {
    takeStep(this.history.manifest, step, verifySignature);
    replaceFileSync(this.path, this.text(step), { mode: 0o644 });
    return this.history.extend(step);
  }

  stepsAfter(serial: number): readonly ManifestStep[] {
    return this.history.stepsAfter(serial);
  }

  /** The newest as it was signed, and everything since the founding as `manifest.json` has it. */
  signed(): ReturnType<ManifestHistory['signed']> {
    return this.history.signed();
  }

  file(): ReturnType<ManifestHistory['file']> {
    return this.history.file();
  }

  private text(...added: ManifestStep[]): string {
    return `${JSON.stringify(this.history.file(...added), null, 2)}\n`;
  }
}
