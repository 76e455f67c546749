/** The traffic of witnessing: fetches the mail of one process and hands it to its log and to its witness. */
import { setTimeout as pause, setImmediate } from 'node:timers/promises';
import { canonicalBytes, isConcordatError } from '#libs/bytes';
import { logOrigin, WitnessMail, type WitnessMessage, type WitnessPost } from '#libs/protocol';
import type { WitnessReply } from '#libs/tlog';
import type { Logger } from './logger.js';
import type { SignedClient } from './signed-client.js';

/** How messages travel: over HTTP to the coordinator's relay, or straight into it. */
export interface WitnessRelay {
  send(to: string, message: WitnessMessage): Promise<void>;
  /** What came after `sequence`; waits for a first item. */
  receive(sequence: number, signal: AbortSignal): Promise<WitnessMail>;
}

const WAIT_SECONDS = 20;
const POLL_SLACK_SECONDS = 15;
/** Pause after a failure, and how often unanswered messages are looked after. */
const RETRY_MS = 1_000;

/** Messages that travel in one request at most. */
const MAX_POSTED = 64;

interface Letter {
  readonly item: WitnessPost['items'][number];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Posts what is said to several processes at the same time in one request: a checkpoint goes to every witness of the federation. */
function postTogether(client: SignedClient): WitnessRelay['send'] {
  let waiting: Letter[] = [];
  let isPosting = false;
  const post = async (): Promise<void> => {
    // lets the rest of what is said now come in
    await setImmediate();
    while (waiting.length > 0) {
      const letters = waiting.slice(0, MAX_POSTED);
      waiting = waiting.slice(MAX_POSTED);
      const body: WitnessPost = { items: letters.map(({ item }) => item) };
      await client.send('POST', '/v1/witnessing', canonicalBytes(body), 'application/json').then(
        () => letters.forEach(({ resolve }) => void resolve()),
        (error: unknown) => letters.forEach(({ reject }) => void reject(error)),
      );
    }
    isPosting = false;
  };
  return (to, message) =>
    new Promise((resolve, reject) => {
      waiting.push({ item: { to, message }, resolve, reject });
      if (isPosting) return;
      isPosting = true;
      void post();
    });
}

/** The relay as a process reaches it. */
export const relayOver = (client: SignedClient): WitnessRelay => ({
  send: postTogether(client),
  async receive(sequence, signal) {
    const response = await client.send(
      'GET',
      `/v1/witnessing?after=${sequence}&wait=${WAIT_SECONDS}`,
      undefined,
      undefined,
      { signal, withinMs: (WAIT_SECONDS + POLL_SLACK_SECONDS) * 1000 },
    );
    return WitnessMail.parse(await response.json());
  },
});

/** The log of this process, as `WitnessedLog` in libs/journal. */
interface OwnLog {
  ask(): Promise<void>;
  publish(): Promise<void>;
  receive(from: string, message: WitnessMessage): Promise<void>;
}

/** The witness that this process is, as `openWitness` in libs/journal gives it. */
interface OwnWitness {
  addCheckpoint(body: string): Promise<WitnessReply>;
  note(origin: string): string | undefined;
}

/**
 * Serves witnessing until stopped: answers others as a witness (when it is one), and keeps its own log before its witnesses.
 * Failures are logged by code and tried again.
 */
export function startWitnessLoop(options: {
  readonly relay: WitnessRelay;
  readonly federation: string;
  readonly log: OwnLog;
  readonly witness: OwnWitness | undefined;
  readonly logger: Logger;
}): () => Promise<void> {
  const { relay, federation, log, witness, logger } = options;
  const stopping = new AbortController();
  const { signal } = stopping;

  const handle = async (from: string, message: WitnessMessage): Promise<void> => {
    if (message.kind === 'ask') {
      const note = witness?.note(logOrigin(federation, from)) ?? null;
      if (witness) await relay.send(from, { kind: 'latest', note });
    } else if (message.kind === 'add-checkpoint') {
      if (witness) await relay.send(from, replyOf(await witness.addCheckpoint(message.body)));
    } else {
      await log.receive(from, message);
    }
  };

  const guarded = async (what: string, run: () => Promise<void>): Promise<boolean> => {
    try {
      await run();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const code = isConcordatError(error) ? error.code : 'unreachable';
      const isAlarm = code === 'log-behind' || code === 'log-forked';
      logger[isAlarm ? 'error' : 'warn']({ code }, what);
      return false;
    }
  };

  const fetchMail = async (): Promise<void> => {
    let after = 0;
    while (!signal.aborted) {
      const fetched = await guarded('witnessing is held up', async () => {
        const { items } = await relay.receive(after, signal);
        after = items.at(-1)?.sequence ?? after;
        // at once, so that the answers travel together; log and witness take them one after another
        await Promise.all(
          items.map(({ from, message }) =>
            guarded('a message about witnessing was not taken', () => handle(from, message)),
          ),
        );
      });
      if (!fetched) await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  };

  /** Messages may get lost with the relay's memory: what is still open is said again. */
  const lookAfter = async (): Promise<void> => {
    while (!signal.aborted) {
      await guarded('witnessing is held up', async () => {
        await log.ask();
        await log.publish();
      });
      await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  };

  const running = Promise.all([fetchMail(), lookAfter()]);
  return async () => {
    stopping.abort();
    await running;
  };
}

const replyOf = (reply: WitnessReply): WitnessMessage => ({
  kind: 'reply',
  status: reply.status,
  code: reply.status === 200 ? null : reply.code,
  size: reply.status === 200 || reply.size === undefined ? null : String(reply.size),
  cosignature: reply.status === 200 ? reply.cosignature : null,
});
