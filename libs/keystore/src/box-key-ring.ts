import { linkSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import { eraseFile } from '#libs/host';
import { type BoxKey, createBoxKey, loadBoxKey } from './box-key.js';
import { nextPath, waitsAt } from './next-key.js';

/**
 * How long a box key is kept after another took its place: a round is open for at most 30 days, may take one to finish, and the auditor
 * keeps what it holds of it for two more.
 */
const KEPT_MS = 33 * 86_400_000;
const FORMER = /^box\.until-(\d{1,12})\.[A-Za-z0-9_-]{43}\.pem$/;

interface FormerKey {
  readonly path: string;
  readonly untilMs: number;
  readonly key: BoxKey;
}

/**
 * The box key of a process and those before it that are still kept, in files beside it. It closes with the one in force and opens what was
 * made for any of them, so that rounds go on which were opened before a rotation. It can be replaced while others hold this object.
 */
export class BoxKeyRing implements BoxKey {
  private constructor(
    private readonly path: string,
    private key: BoxKey,
    private kept: readonly FormerKey[],
  ) {}

  /** Opens the key at `path` and what is kept beside it. Throws as `loadBoxKey` does. */
  static open(path: string): BoxKeyRing {
    const kept = formerPaths(path).map((former) => ({ ...former, key: loadBoxKey(former.path) }));
    return new BoxKeyRing(path, loadBoxKey(path), kept);
  }

  get publicKey(): string {
    return this.key.publicKey;
  }

  /** Whether keys before the one in force are kept. */
  get hasFormer(): boolean {
    return this.kept.length > 0;
  }

  /** The key in force or a kept one, by its public half. Throws `box-key-gone`. */
  named(publicKey: string): BoxKey {
    const found = this.all().find((key) => key.publicKey === publicKey);
    if (found) return found;
    throw new ConcordatError(
      'box-key-gone',
      'this box key was replaced and erased: what was closed for it stays closed; ask anew',
    );
  }

  close(message: Uint8Array, recipient: string): Uint8Array {
    return this.key.close(message, recipient);
  }

  /** As `BoxKey.open`; what a process closed for itself opens under whichever of its keys it was closed. */
  open(box: Uint8Array, sender: string): Uint8Array {
    const isOwn = sender === this.key.publicKey;
    for (const key of this.all()) {
      try {
        return key.open(box, isOwn ? key.publicKey : sender);
      } catch (error) {
        if (!isConcordatError(error, 'bad-box')) throw error;
      }
    }
    throw new ConcordatError('bad-box', 'not a box that this sender made for this process');
  }

  secretWith(other: string, use: string): Uint8Array {
    return this.key.secretWith(other, use);
  }

  /** The key that is to follow; made when there is none yet. */
  prepareNext(): BoxKey {
    return this.waitingNext() ?? createBoxKey(nextPath(this.path));
  }

  /** The key of a rotation that was begun; undefined when none was. */
  waitingNext(): BoxKey | undefined {
    return waitsAt(this.path) ? loadBoxKey(nextPath(this.path)) : undefined;
  }

  /** Puts the next key in the place of the one in force, which is kept until what was opened under it is over. */
  installNext(nowMs: number): void {
    const next = loadBoxKey(nextPath(this.path));
    const untilMs = nowMs + KEPT_MS;
    const name = `box.until-${Math.ceil(untilMs / 1000)}.${this.key.publicKey}.pem`;
    const path = join(dirname(this.path), name);
    // a second name first: at no moment is there no key at `path`
    linkSync(this.path, path);
    renameSync(nextPath(this.path), this.path);
    this.kept = [{ path, untilMs, key: this.key }, ...this.kept];
    this.key = next;
  }

  /** Erases the keys whose time is over; to be called once nothing is closed under them any more. */
  forget(nowMs: number): void {
    for (const { path } of this.kept.filter(({ untilMs }) => untilMs < nowMs)) eraseFile(path);
    this.kept = this.kept.filter(({ untilMs }) => untilMs >= nowMs);
  }

  private all(): BoxKey[] {
    return [this.key, ...this.kept.map(({ key }) => key)];
  }
}

/** Files of former keys beside the one at `path`, newest first. */
export function formerPaths(path: string): { readonly path: string; readonly untilMs: number }[] {
  let names: string[];
  try {
    names = readdirSync(dirname(path));
  } catch {
    return [];
  }
  return names
    .flatMap((name) => {
      const seconds = FORMER.exec(name)?.[1];
      if (seconds === undefined) return [];
      return [{ path: join(dirname(path), name), untilMs: Number(seconds) * 1000 }];
    })
    .sort((a, b) => b.untilMs - a.untilMs);
}
