/**
 * Letters between processes: a letter is answered by one letter, each in a box that only the two can open. The relay between them may
 * lose boxes (it keeps them in memory) and is asked again; a letter that comes twice gets the same answer and is acted on once.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  ConcordatError,
  canonicalBytes,
  fromBase64url,
  isConcordatError,
  parseCanonicalJson,
  toBase64url,
} from '#libs/bytes';
import { type LinkageBody, LinkageLetter } from '#libs/protocol';
import type { Post } from './post.js';
import type { Box } from './sealed-folder.js';

const FIRST_RESEND_MS = 2_000;
/** A relay that restarted has lost what it carried: this is how long it may take until it is there again. */
const LAST_RESEND_MS = 5_000;
const RETRY_MS = 500;
const DEFAULT_TIMEOUT_MS = 120_000;
/** Answers remembered of one sender: more than it ever has under way. */
const KEPT_ANSWERS = 16;

export interface Correspondence {
  /**
   * Sends a letter and waits for its answer. Throws the code of a refusal, `no-answer` after `timeoutMs`, `unknown-process`. A letter that
   * is sent again after a restart under the same `id` is the same letter.
   */
  ask(
    to: string,
    body: LinkageBody,
    options?: { readonly timeoutMs?: number; readonly id?: string; readonly signal?: AbortSignal },
  ): Promise<LinkageBody>;
  stop(): Promise<void>;
}

interface Log {
  warn(facts: object, text: string): void;
}

export interface CorrespondenceOptions {
  /** Id of this process. */
  readonly me: string;
  readonly box: Box;
  readonly boxKeyOf: (process: string) => string | undefined;
  readonly post: Post;
  /** Answers a letter; a ConcordatError becomes a refusal with its code. */
  readonly answer: (from: string, body: LinkageBody, id: string) => Promise<LinkageBody>;
  readonly newId: () => string;
  readonly log: Log;
  /** How long an answer is waited for before a letter is sent again, at first; 2,000 unless given. */
  readonly resendMs?: number;
}

type Waiting = (letter: LinkageLetter) => void;

/** Refusals that may be otherwise in a moment: they are not remembered. */
const PASSING: readonly string[] = [
  'not-yet',
  'log-unavailable',
  'linkage-file-unwritable',
  'internal-fault',
];

/** Starts fetching this process's mail. */
export function startCorrespondence(options: CorrespondenceOptions): Correspondence {
  const { me, box, boxKeyOf, post, log } = options;
  const stopping = new AbortController();
  const waiting = new Map<string, Waiting>();
  const answers = new Map<string, Map<string, Promise<LinkageBody>>>();
  const atWork = new Set<Promise<void>>();

  const keyOf = (process: string): string => {
    const key = boxKeyOf(process);
    if (key !== undefined) return key;
    throw new ConcordatError('unknown-process', 'the manifest names no process of this id');
  };
  const closed = (letter: LinkageLetter): string =>
    toBase64url(box.close(canonicalBytes(letter), keyOf(letter.to)));

  const answerTo = async (from: string, body: LinkageBody, id: string): Promise<LinkageBody> => {
    try {
      return await options.answer(from, body, id);
    } catch (error) {
      if (!isConcordatError(error)) log.warn({ err: error }, 'could not answer a letter');
      return { kind: 'refused', code: isConcordatError(error) ? error.code : 'internal-fault' };
    }
  };

  /** The answer to a letter; what is not final is worked out anew when it is asked again. */
  const onceAnswered = (letter: LinkageLetter): Promise<LinkageBody> => {
    const { from, id, body } = letter;
    const kept = answers.get(from) ?? new Map<string, Promise<LinkageBody>>();
    answers.set(from, kept);
    const known = kept.get(id);
    if (known !== undefined) return known;
    const answer = answerTo(from, body, id);
    kept.set(id, answer);
    void answer.then((said) => {
      if (said.kind === 'refused' && PASSING.includes(said.code)) kept.delete(id);
    });
    for (const old of kept.keys()) {
      if (kept.size <= KEPT_ANSWERS) break;
      kept.delete(old);
    }
    return answer;
  };

  const take = async (from: string, text: string): Promise<void> => {
    const opened = box.open(fromBase64url(text), keyOf(from));
    const parsed = LinkageLetter.safeParse(parseCanonicalJson(opened));
    if (!parsed.success || parsed.data.from !== from || parsed.data.to !== me) {
      throw new ConcordatError('malformed-message', 'not a letter of linkage');
    }
    const letter = parsed.data;
    if (letter.answers !== null) {
      waiting.get(`${from}/${letter.answers}`)?.(letter);
      return;
    }
    const body = await onceAnswered(letter);
    const reply: LinkageLetter = {
      version: 1,
      id: options.newId(),
      answers: letter.id,
      from: me,
      to: from,
      body,
    };
    await post.send(from, closed(reply));
  };

  const fetchMail = async (): Promise<void> => {
    let after = 0;
    while (!stopping.signal.aborted) {
      try {
        const { items } = await post.receive(after, stopping.signal);
        for (const { sequence, from, box: text } of items) {
          after = sequence;
          const work = take(from, text)
            .catch((error: unknown) => {
              const code = isConcordatError(error) ? error.code : 'unreachable';
              log.warn({ from, code }, 'a letter of linkage was not taken');
            })
            .finally(() => atWork.delete(work));
          atWork.add(work);
        }
      } catch {
        // the relay is out of reach, which the process says elsewhere
        await pause(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  };

  const running = fetchMail();
  return {
    async ask(to, body, { timeoutMs = DEFAULT_TIMEOUT_MS, id = options.newId(), signal } = {}) {
      const letter: LinkageLetter = { version: 1, id, answers: null, from: me, to, body };
      // throws at once for a stranger; closed anew each time it is sent, since either box key may be replaced meanwhile
      keyOf(to);
      const send = async (): Promise<void> => post.send(to, closed(letter));
      const key = `${to}/${id}`;
      const late = new AbortController();
      // not AbortSignal.timeout, which the garbage collector takes from AbortSignal.any (nodejs/node issue 57736)
      const timer = setTimeout(() => late.abort(), timeoutMs);
      const ended = AbortSignal.any([stopping.signal, late.signal, ...(signal ? [signal] : [])]);
      const settled = new AbortController();
      const answered = new Promise<LinkageLetter>((resolve, reject) => {
        waiting.set(key, resolve);
        ended.addEventListener('abort', () =>
          reject(new ConcordatError('no-answer', `${to} did not answer in time; ask again later`)),
        );
      });
      const resend = async (): Promise<void> => {
        let waitMs = options.resendMs ?? FIRST_RESEND_MS;
        const until = AbortSignal.any([ended, settled.signal]);
        while (!until.aborted) {
          const sent = await send().then(
            () => true,
            () => false,
          );
          await pause(sent ? waitMs : RETRY_MS, undefined, { signal: until }).catch(
            () => undefined,
          );
          if (sent) waitMs = Math.min(2 * waitMs, LAST_RESEND_MS);
        }
      };
      try {
        if (ended.aborted) throw new ConcordatError('no-answer', 'the process is stopping');
        const sending = resend();
        const { body: said } = await answered.finally(() => settled.abort());
        await sending;
        if (said.kind === 'refused') {
          throw new ConcordatError(said.code, `${to} refused a letter of linkage`);
        }
        return said;
      } finally {
        clearTimeout(timer);
        waiting.delete(key);
      }
    },
    async stop() {
      stopping.abort();
      await running;
      await Promise.allSettled(atWork);
    },
  };
}
