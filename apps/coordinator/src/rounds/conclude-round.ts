import { Inject, Injectable } from '@nestjs/common';
import { canonicalBytes, isConcordatError, sha256Hex } from '#libs/bytes';
import { answeredIn, isOver, type RoundEvent, type RoundState } from '#libs/protocol';
import { COORDINATOR, type Coordinator } from '../coordinator.js';
import { composeRelease } from '../releases/compose-release.js';
import { ReleaseStore } from '../releases/release-store.js';
import type { Round } from './round.js';
import { RoundBook } from './round-book.js';
import { VectorStore } from './vector-store.js';

/** How long everything after the closing may take, unless the settings say otherwise. */
const FINISH_WITHIN_SECONDS = 3_600;
/** The disk is full or read-only: the same step succeeds once it is mended. */
const DISK_CODES: ReadonlySet<string> = new Set(['log-unavailable', 'blob-unavailable']);

/** From CLOSED to the end: composes the release and publishes it, or says in the log why there is none. */
@Injectable()
export class ConcludeRound {
  private readonly running = new Map<string, Promise<boolean>>();
  private readonly stopping = new AbortController();

  constructor(
    @Inject(COORDINATOR) private readonly coordinator: Coordinator,
    @Inject(RoundBook) private readonly book: RoundBook,
    @Inject(VectorStore) private readonly vectors: VectorStore,
    @Inject(ReleaseStore) private readonly releases: ReleaseStore,
  ) {}

  /**
   * Brings a closed round to its end, from whichever phase it is in; two calls for one round are one. Resolves to false when the process
   * stops first. Throws what a full disk throws: then call it again.
   */
  run(round: Round): Promise<boolean> {
    const { id } = round.state;
    const known = this.running.get(id);
    if (known !== undefined) return known;
    const work = this.finish(round).finally(() => this.running.delete(id));
    this.running.set(id, work);
    return work;
  }

  /** Interrupts what runs; nothing of it is in the log. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.allSettled(this.running.values());
  }

  private async finish(round: Round): Promise<boolean> {
    const { config, logger } = this.coordinator;
    const { id } = round.state;
    const withinMs = (config.finishWithinSeconds ?? FINISH_WITHIN_SECONDS) * 1000;
    const late = AbortSignal.timeout(Math.min(withinMs, 2 ** 31 - 1));
    const signal = AbortSignal.any([this.stopping.signal, late]);
    try {
      await this.proceed(round, signal);
    } catch (error) {
      if (this.stopping.signal.aborted) return false;
      const code = isConcordatError(error) ? error.code : 'internal';
      if (late.aborted) {
        await this.move(id, { kind: 'round.expired', ...this.about(id) });
        logger.error({ round: id }, 'round expired');
        return true;
      }
      if (DISK_CODES.has(code)) throw error;
      await this.move(id, { kind: 'round.aborted', ...this.about(id), code });
      logger.error({ round: id, code, err: error }, 'round aborted');
    }
    return true;
  }

  private async proceed(round: Round, signal: AbortSignal): Promise<void> {
    const { id } = round.state;
    if (answeredIn(round.state).length === 0) {
      await this.move(id, { kind: 'round.aborted', ...this.about(id), code: 'no-contribution' });
      return;
    }
    const state = await this.move(id, { kind: 'round.composing', ...this.about(id) });
    await this.release({ ...round, state }, signal);
  }

  private async release(round: Round, signal: AbortSignal): Promise<void> {
    const { logger, federation, blobs } = this.coordinator;
    const { id, fingerprint } = round.state;
    const header = await composeRelease({
      round,
      federation,
      vectors: this.vectors,
      blobs,
      signal,
      receiptDigest: (receipt) => sha256Hex(canonicalBytes(receipt)),
    });
    const digest = await this.releases.publish(header);
    signal.throwIfAborted();
    const about = this.about(id);
    await this.move(id, {
      kind: 'round.released',
      verb: 'combination',
      ...about,
      recipient: round.assertion.payload.analyst,
      purpose: round.query.purpose,
      fingerprint,
      releaseDigest: digest,
      blob: digest,
    });
    this.releases.announce({ id: digest, header, releasedAt: about.at });
    logger.info({ round: id, release: digest }, 'released');
  }

  private async move(id: string, event: RoundEvent): Promise<RoundState> {
    const { state } = await this.book.advance(id, (now) =>
      now && isOver(now) ? undefined : event,
    );
    return state;
  }

  private about(round: string): { at: string; actor: string; round: string } {
    const { config, nowMs } = this.coordinator;
    return { at: new Date(nowMs()).toISOString(), actor: config.id, round };
  }
}
