import { Inject, Injectable } from '@nestjs/common';
import { ConcordatError, canonicalBytes, isConcordatError, sha256Hex } from '#libs/bytes';
import { jobKey } from '#libs/jobs';
import { timeLimit } from '#libs/nest-kit';
import {
  answeredIn,
  Digest,
  isOver,
  type RoundEvent,
  type RoundState,
  releaseBytes,
  SEALED_QUORUM,
  type SignedUnmasked,
  vectorDigest,
} from '#libs/protocol';
import type { Query } from '#libs/query';
import { COORDINATOR, type Coordinator } from '../coordinator.js';
import { COMPOSE_JOB, composeInput } from '../jobs/compose-job.js';
import { type CoordinatorJobs, JOBS } from '../jobs/coordinator-jobs.js';
import { composeLinked } from '../releases/compose-release.js';
import { ReleaseStore } from '../releases/release-store.js';
import { Unmaskings } from '../sealing/unmaskings.js';
import type { Round } from './round.js';
import { RoundBook } from './round-book.js';
import { RoundFiles } from './round-files.js';
import { VectorStore } from './vector-store.js';

/** How long everything after the closing may take, unless the settings say otherwise. */
const FINISH_WITHIN_SECONDS = 3_600;
/** The disk is full or read-only: the same step succeeds once it is mended. */
const DISK_CODES: ReadonlySet<string> = new Set(['log-unavailable', 'blob-unavailable']);

/** From CLOSED to the end: has the release composed as a job and publishes it, or says in the log why there is none. */
@Injectable()
export class ConcludeRound {
  private readonly running = new Map<string, Promise<boolean>>();
  private readonly stopping = new AbortController();

  constructor(
    @Inject(COORDINATOR) private readonly coordinator: Coordinator,
    @Inject(RoundBook) private readonly book: RoundBook,
    @Inject(JOBS) private readonly jobs: CoordinatorJobs,
    @Inject(ReleaseStore) private readonly releases: ReleaseStore,
    @Inject(RoundFiles) private readonly files: RoundFiles,
    @Inject(VectorStore) private readonly vectors: VectorStore,
    @Inject(Unmaskings) private readonly unmaskings: Unmaskings,
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

  /** Lets what composes get ready while a round collects. A linked count is composed here, from no tree. */
  prepare(state: RoundState, { linkage, resolution }: Query, manifest: string): void {
    const agencies = [...state.standings.keys()];
    this.jobs.readyToCompose(linkage ? undefined : { manifest, agencies, resolution });
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
    const late = timeLimit(Math.min(withinMs, 2 ** 31 - 1));
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
    const unmasked = round.state.sealed ? await this.unmask(round, signal) : undefined;
    const state = await this.move(id, { kind: 'round.composing', ...this.about(id) });
    await this.release({ ...round, state }, unmasked, signal);
  }

  /** The sums of the masks of exactly those who answered, which only the auditor has. Throws `too-few-contributors`, or its refusal. */
  private async unmask(
    { state, assertion, contributions }: Round,
    signal: AbortSignal,
  ): Promise<SignedUnmasked> {
    const { id, fingerprint, standings } = state;
    const agencies = answeredIn(state);
    if (agencies.length < SEALED_QUORUM) {
      throw new ConcordatError(
        'too-few-contributors',
        `a sealed round needs ${SEALED_QUORUM} answers; nothing was unmasked`,
      );
    }
    if (state.phase === 'closed') {
      await this.move(id, {
        kind: 'round.unmasking',
        ...this.about(id),
        contributors: agencies,
      });
    }
    const contributors = agencies.map((agency) => {
      const standing = standings.get(agency);
      const file = standing?.status === 'answered' ? standing.contribution : '';
      const receipt = contributions.get(file)?.receipt.payload;
      if (!receipt) throw new Error('an accepted contribution was not loaded');
      return { agency, answer: receipt.valueDigest, masked: vectorDigest(receipt) };
    });
    // A round keeps the manifest that its analyst signed for.
    const { manifest } = assertion.payload;
    return this.unmaskings.ask({ round: id, manifest, fingerprint, contributors }, signal);
  }

  private async release(
    round: Round,
    unmasked: SignedUnmasked | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { state, query, assertion } = round;
    const { logger } = this.coordinator;
    const { id, fingerprint } = state;
    const digest = query.linkage
      ? await this.countLinked(round)
      : await this.compose(round, unmasked, signal);
    signal.throwIfAborted();
    const header = await this.releases.header(digest);
    if (header.round !== id || header.fingerprint !== fingerprint) {
      throw new ConcordatError('wrong-release', 'what was composed is of another round');
    }
    const about = this.about(id);
    await this.move(id, {
      kind: 'round.released',
      verb: 'combination',
      ...about,
      recipient: assertion.payload.analyst,
      purpose: query.purpose,
      fingerprint,
      releaseDigest: digest,
      blob: digest,
    });
    for (const sum of unmasked?.payload.sums ?? []) await this.vectors.discard(sum.digest);
    this.releases.announce({ id: digest, header, releasedAt: about.at });
    logger.info({ round: id, release: digest }, 'released');
  }

  private async compose(
    { state, assertion }: Round,
    unmasked: SignedUnmasked | undefined,
    signal: AbortSignal,
  ): Promise<string> {
    const sums = unmasked && (await this.files.putUnmasked(unmasked));
    const input = composeInput(state, assertion.payload.manifest, sums);
    const composed = this.jobs.run(COMPOSE_JOB, input, { signal, carrier: { round: state.id } });
    return Digest.parse(
      await composed.catch(async (error: unknown) => {
        // too late to be of use; while this process merely stops, the job may go on elsewhere
        if (signal.aborted && !this.stopping.signal.aborted) {
          await this.jobs.cancel(jobKey(COMPOSE_JOB, input)).catch(() => undefined);
        }
        throw error;
      }),
    );
  }

  /** A linked count is opened with the coordinator's own key, which no worker has. */
  private async countLinked({ state, query, contributions }: Round): Promise<string> {
    const { federation, blobs, box } = this.coordinator;
    const { id, fingerprint, standings } = state;
    const header = await composeLinked(
      {
        round: { id, fingerprint, query, standings, contributions },
        federation,
        vectors: this.vectors,
        unmasked: undefined,
        blobs,
        receiptDigest: (receipt) => sha256Hex(canonicalBytes(receipt)),
      },
      box,
    );
    return blobs.put(releaseBytes(header));
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
