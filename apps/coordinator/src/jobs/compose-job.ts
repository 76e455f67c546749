/** Composing a release as a job: everything it needs is named by hash, so any process over the same folder can run it. */
import { z } from 'zod';
import { ConcordatError, type Json } from '#libs/bytes';
import { defineJob, type JobKind, type Threads } from '#libs/jobs';
import { inRound } from '#libs/nest-kit';
import { Digest, Name, type RoundState, type Standing } from '#libs/protocol';

const SettledStanding = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('silent') }),
  z.strictObject({ status: z.enum(['refused', 'rejected']), code: z.string() }),
  z.strictObject({ status: z.literal('answered'), contribution: Digest, valueDigest: Digest }),
]);

const ComposeInput = z.strictObject({
  round: z.string().regex(/^[0-9a-f]{32}$/),
  fingerprint: Digest,
  /** Under which the contributions were checked. */
  manifest: Digest,
  /** Blob of the round's files. */
  question: Digest,
  /** Every agency asked, in the order of the opening, as it stood when the round closed. */
  standings: z.array(z.tuple([Name, SettledStanding])).min(1),
  /** Of a sealed round: blob of the round's files with what the auditor signed about the masks. */
  unmasked: Digest.optional(),
});
export type ComposeInput = z.infer<typeof ComposeInput>;

/** What the thread is given. */
export interface ComposeTask {
  readonly dir: string;
  readonly input: ComposeInput;
}

/** What a round under way will be composed for, by whoever answers of these agencies. */
export interface Rehearsal {
  readonly manifest: string;
  readonly agencies: readonly string[];
  readonly resolution: number;
}

export const COMPOSE_JOB = 'compose';

const settled = (standing: Standing): z.infer<typeof SettledStanding> => {
  if (standing.status === 'waiting' || standing.status === 'held') {
    throw new ConcordatError('not-yet', 'the round collects: compose it once it closed');
  }
  return standing;
};

/** The job of a closed round. Throws `not-yet` for one that still collects. */
export const composeInput = (state: RoundState, manifest: string, unmasked?: string): Json =>
  ({
    round: state.id,
    fingerprint: state.fingerprint,
    manifest,
    question: state.question,
    standings: [...state.standings].map(([agency, standing]) => [agency, settled(standing)]),
    ...(unmasked === undefined ? {} : { unmasked }),
  }) satisfies ComposeInput as Json;

/** Composes over the folder `dir` in a thread; resolves to the digest of the release's header, which is a durable blob by then. */
export const composeJob = (dir: string, threads: Threads): JobKind =>
  defineJob({
    name: COMPOSE_JOB,
    input: ComposeInput as z.ZodType<Json>,
    isUrgent: true,
    transientCodes: ['blob-unavailable'],
    run: async (input, { signal, progress }) => {
      const task: ComposeTask = { dir, input: input as ComposeInput };
      const composed = inRound(task.input.round, 'round.compose', () =>
        threads.run(task, { signal, onProgress: progress }),
      );
      return Digest.parse(await composed);
    },
  });
