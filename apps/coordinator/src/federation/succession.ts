import { ConcordatError, canonicalBytes, parseCanonicalJson } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import {
  keyFingerprint,
  type ManifestChange,
  ManifestStep,
  manifestHash,
  signStep,
  takeStep,
} from '#libs/protocol';
import type { Entry } from '#libs/tlog';
import type { Coordinator } from '../coordinator.js';
import { WaitingPolls } from '../waiting-polls.js';

type Change = ManifestChange & { readonly kind: Exclude<ManifestChange['kind'], 'founded'> };

/**
 * Makes new manifests: the change is signed, its step is a durable blob, the log says that it is in force, then `manifest.json` follows
 * and everybody who waits is told. A start after a crash in between takes up what the log says.
 */
export class Succession {
  private turn: Promise<unknown> = Promise.resolve();
  private readonly polls = new WaitingPolls();

  constructor(
    private readonly coordinator: Pick<
      Coordinator,
      'append' | 'blobs' | 'config' | 'federation' | 'key' | 'nowMs'
    >,
  ) {}

  /**
   * Publishes the manifest after `change`; changes are made one after another. `alsoAfter` runs once it is in force, before the next.
   * Throws what `nextManifest` throws; then nothing changed.
   */
  publish(change: Change, alsoAfter: () => Promise<void> = async () => {}): Promise<number> {
    const run = this.turn.then(() => this.make(change, alsoAfter));
    this.turn = run.catch(() => undefined);
    return run;
  }

  /** Takes up a manifest that the log says was published, when `manifest.json` does not have it yet. Throws `log-corrupt`. */
  async replay(entry: Extract<Entry, { kind: 'manifest.published' }>): Promise<void> {
    const { federation, blobs } = this.coordinator;
    if (entry.serial <= federation.manifest.serial) return;
    const step = ManifestStep.safeParse(parseCanonicalJson(await blobs.get(entry.step)));
    if (!step.success || entry.serial !== federation.manifest.serial + 1) {
      throw new ConcordatError(
        'log-corrupt',
        'a manifest of the log does not follow; restore a copy',
      );
    }
    federation.follow(step.data);
  }

  /** Resolves when there is a manifest after `serial`, after `waitMs`, or when `signal` aborts. Throws `stopping` once it is closed. */
  async after(serial: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    if (this.coordinator.federation.manifest.serial > serial || waitMs === 0) return;
    await this.polls.wait('manifest', waitMs, signal);
  }

  /** Refuses everybody who waits, and who comes to wait. */
  close(): void {
    this.polls.close();
  }

  private async make(change: Change, alsoAfter: () => Promise<void>): Promise<number> {
    const { append, blobs, config, federation, key, nowMs } = this.coordinator;
    const before = federation.manifest;
    const step = signStep(before, change, key, verifySignature);
    const blob = await blobs.put(canonicalBytes(step));
    const serial = before.serial + 1;
    const about = { at: new Date(nowMs()).toISOString(), actor: config.id };
    const digest = manifestHash(takeStep(before, step, verifySignature));
    await append({
      kind: 'manifest.published',
      ...about,
      serial,
      manifestDigest: digest,
      change: change.kind,
      step: blob,
    });
    federation.follow(step);
    const version = { manifestVersion: serial, manifestDigest: digest };
    const entry = this.entryOf(change, version);
    if (entry) await append({ ...about, ...entry });
    await alsoAfter();
    this.polls.wake('manifest');
    return serial;
  }

  private entryOf(
    change: Change,
    version: { readonly manifestVersion: number; readonly manifestDigest: string },
  ) {
    switch (change.kind) {
      case 'enrolled': {
        const { id, publicKey } = change.enrolment.payload.agency;
        return {
          kind: 'enrol' as const,
          agency: id,
          keyFingerprint: keyFingerprint(publicKey),
          ...version,
        };
      }
      case 'revoked': {
        const { formerKeys } = this.coordinator.federation.manifest;
        const key = formerKeys.findLast(({ id }) => id === change.agency);
        return {
          kind: 'agency.revoked' as const,
          agency: change.agency,
          keyFingerprint: keyFingerprint(key?.publicKey ?? ''),
          reason: change.reason,
          ...version,
        };
      }
      default:
        return undefined;
    }
  }
}
