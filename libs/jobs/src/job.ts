/** What a job is: a kind, an input, and a key made of both. Correctness never depends on the queue that carries it. */
import type { z } from 'zod';
import { ConcordatError, digestOf, isConcordatError, type Json } from '#libs/bytes';

/** What a running job is given beside its input. */
export interface JobContext {
  readonly key: string;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Aborted when the job is cancelled, its lock is lost or the process stops. */
  readonly signal: AbortSignal;
  /** What the asker sent along, such as a W3C `traceparent`; no part of the key. */
  readonly carrier: Readonly<Record<string, string>>;
  /** Tells how far the job is, from 0 to 1. */
  progress(fraction: number): void;
}

/**
 * One sort of work. `run` must be idempotent: a queue may run it twice, even at once. Its result is a small JSON document; large
 * results are blobs, of which it returns the hash.
 */
export interface JobKind<Input extends Json = Json> {
  /** Kebab-case; part of every key. */
  readonly name: string;
  /** What arrives from a queue is checked again before it is run. */
  readonly input: z.ZodType<Input>;
  run(input: Input, context: JobContext): Promise<Json>;
  /** Taken before every waiting job that is not; false unless given. */
  readonly isUrgent?: boolean;
  /** How often it is tried in all; 3 unless given. */
  readonly attempts?: number;
  /** Pause before the second try, doubled before each further one; 500 unless given. */
  readonly backoffMs?: number;
  /** Codes of `ConcordatError` that another try may mend. Every other is a verdict; errors that are not ours are tried again. */
  readonly transientCodes?: readonly string[];
}

/** Infers `Input` from the schema of a kind. */
export const defineJob = <Input extends Json>(kind: JobKind<Input>): JobKind<Input> => kind;

/** Why a job failed. The message is written for the asker and holds no value. */
export interface JobFault {
  readonly code: string;
  readonly message: string;
}

/** A job as anyone who knows its key sees it. */
export type JobView = {
  readonly key: string;
  readonly kind: string;
  /** From 0 to 1. */
  readonly progress: number;
  /** Tries begun so far. */
  readonly attempts: number;
} & (
  | { readonly status: 'waiting' | 'running' | 'cancelled' }
  | { readonly status: 'done'; readonly result: Json }
  | { readonly status: 'failed'; readonly fault: JobFault }
);

export type JobStatus = JobView['status'];

/** What a process may count or log: no input and no result. */
export interface JobEvent {
  readonly type: 'started' | 'done' | 'failed' | 'retried' | 'cancelled' | 'queue-unavailable';
  readonly kind: string;
  readonly key: string;
  readonly attempt: number;
  /** What the asker sent along. */
  readonly carrier: Readonly<Record<string, string>>;
  /** Since the try began. */
  readonly durationMs: number;
  readonly code?: string;
  /** For the log of the process that ran the job. */
  readonly error?: unknown;
}

/** Kind and content of a job: `kind-` and 64 hex digits of its canonical input. Equal questions have equal keys. */
export const jobKey = (kind: string, input: Json): string =>
  `${kind}-${digestOf('concordat/job/v1', { kind, input })}`;

export const DEFAULT_ATTEMPTS = 3;
const DEFAULT_BACKOFF_MS = 500;

/** Pause before try `attempt + 1`, after `attempt` have failed. */
export const backoffOf = ({ backoffMs = DEFAULT_BACKOFF_MS }: JobKind, attempt: number): number =>
  backoffMs * 2 ** (attempt - 1);

/** Whether an error may be mended by trying again. */
export function isTransient(kind: JobKind, error: unknown): boolean {
  return isConcordatError(error) ? (kind.transientCodes ?? []).includes(error.code) : true;
}

/** What the asker is told of an error; an error that is not ours stays in the log of the process that ran the job. */
export const faultOf = (error: unknown): JobFault =>
  isConcordatError(error)
    ? { code: error.code, message: error.message }
    : {
        code: 'internal',
        message: 'the job failed for a reason that the log of the process which ran it names',
      };

/** Kinds by name. Throws `unknown-job-kind` for a name that is not among them. */
export function kindTable(kinds: readonly JobKind[]): (name: string) => JobKind {
  const table = new Map(kinds.map((kind) => [kind.name, kind]));
  return (name) => {
    const kind = table.get(name);
    if (kind) return kind;
    throw new ConcordatError(
      'unknown-job-kind',
      'no job of this kind is known; run the same version in every process',
    );
  };
}

/** Checks an input against its kind. Throws `malformed-job`. */
export function checkInput(kind: JobKind, input: Json): Json {
  const parsed = kind.input.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ConcordatError(
    'malformed-job',
    `the input of a ${kind.name} job: ${issue?.code.replaceAll('_', ' ')} at ${issue?.path.map(String).join('.') || 'top level'}`,
  );
}
