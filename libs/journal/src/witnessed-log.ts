/**
 * The owner's side of witnessing (C2SP tlog-witness over messages that a relay carries): asks the witnesses what they hold before
 * anything is signed after a start, offers them every new checkpoint with its consistency proof, and keeps their cosignatures.
 */

import { ConcordatError, isConcordatError } from '#libs/bytes';
import { verifyEd25519ByNode } from '#libs/host';
import { addSignatures, formatWitnessRequest, openCheckpoint, parseCheckpoint } from '#libs/tlog';
import type { Journal } from './journal.js';

/** What owners and witnesses tell each other. */
export type WitnessMessage =
  /** Owner: which checkpoint of my log do you hold? */
  | { readonly kind: 'ask' }
  /** Witness: this one, a note that the log signed; null when it has seen none. */
  | { readonly kind: 'latest'; readonly note: string | null }
  /** Owner: the body of an add-checkpoint request. */
  | { readonly kind: 'add-checkpoint'; readonly body: string }
  /** Witness: the answer to it, an HTTP status of tlog-witness and what belongs to it. */
  | {
      readonly kind: 'reply';
      readonly status: number;
      readonly code: string | null;
      readonly size: string | null;
      readonly cosignature: string | null;
    };

/** Who signs and who watches a log. */
interface WitnessedLogKeys {
  /** Verifier keys of the log. */
  readonly logKeys: readonly string[];
  /** Cosignature keys of its witnesses, by the name that messages are addressed to. */
  readonly witnesses: ReadonlyMap<string, string>;
  /** How many witnesses must have said what they hold before the process signs. */
  readonly quorum: number;
}

export interface WitnessedLogOptions {
  readonly journal: Journal;
  readonly origin: string;
  /** Asked anew each time: the manifest may have been followed by another. */
  readonly keys: () => WitnessedLogKeys;
  /** Hands a message to the relay; it may get lost. */
  readonly send: (witness: string, message: WitnessMessage) => Promise<void>;
  /** Hears every note worth showing to others: a new checkpoint, or one with more cosignatures. */
  readonly onNote?: (note: string) => void;
  /** POSIX milliseconds. */
  readonly clock?: () => number;
}

/** An unanswered request is sent again after this long. */
const RESEND_MS = 3_000;

const sizeOf = (note: string): bigint =>
  parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1)).size;

export class WitnessedLog {
  /** Size that each witness is known to hold; a witness that is missing here has not been heard. */
  readonly #held = new Map<string, bigint>();
  readonly #offered = new Map<string, { readonly size: bigint; readonly atMs: number }>();
  #refusal: ConcordatError | undefined;
  #waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  /** Messages are taken one after another. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: WitnessedLogOptions) {}

  /** Whether enough witnesses have been heard, and none has seen more of this log or another. */
  get isVouched(): boolean {
    return this.#refusal === undefined && this.#held.size >= this.options.keys().quorum;
  }

  /** Code of what closed this log for good, `log-behind` or `log-forked`; undefined while nothing did. */
  get refusal(): string | undefined {
    return this.#refusal?.code;
  }

  /** Resolves once this log may be signed. Rejects with `log-behind` or `log-forked`, for good. */
  async untilVouched(): Promise<void> {
    if (this.#refusal) throw this.#refusal;
    if (this.isVouched) return;
    await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Lets whoever waits for the witnesses go, with `log-closed`: the process is stopping. */
  abandon(): void {
    const error = new ConcordatError('log-closed', 'stopped before its witnesses were heard');
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** Asks every witness that has not been heard. To be called at every connection to the relay, and again now and then. */
  async ask(): Promise<void> {
    const unheard = [...this.options.keys().witnesses.keys()].filter(
      (name) => !this.#held.has(name),
    );
    await Promise.all(unheard.map((witness) => this.#send(witness, { kind: 'ask' })));
  }

  /** The published note: a new one over all entries when this log may be signed, else the last one that was. */
  async checkpoint(): Promise<string> {
    const { journal } = this.options;
    return this.isVouched ? journal.checkpoint() : journal.published;
  }

  /** Signs what is new, when it may, and offers it to every witness that holds less. */
  async publish(): Promise<void> {
    const { journal, keys, onNote } = this.options;
    if (!this.isVouched) return;
    const before = journal.published;
    const note = await journal.checkpoint();
    if (note !== before) onNote?.(note);
    const { witnesses } = keys();
    await Promise.all([...witnesses.keys()].map((witness) => this.#offer(witness, note)));
  }

  /** Takes a message of a witness; others are ignored. Rejects with `log-behind` or `log-forked` when it proves one. */
  receive(from: string, message: WitnessMessage): Promise<void> {
    const run = this.#queue.then(() => this.#receive(from, message));
    this.#queue = run.catch(() => undefined);
    return run;
  }

  async #receive(from: string, message: WitnessMessage): Promise<void> {
    if (!this.options.keys().witnesses.has(from)) return;
    try {
      if (message.kind === 'latest') await this.#hear(from, message.note);
      if (message.kind === 'reply') await this.#settle(from, message);
    } catch (error) {
      if (isConcordatError(error, 'log-behind') || isConcordatError(error, 'log-forked')) {
        this.#refusal = error;
        for (const { reject } of this.#waiting.splice(0)) reject(error);
      }
      throw error;
    }
  }

  /** A note that the log's own key signed is proof, whoever shows it; anything else counts as silence. */
  async #hear(witness: string, note: string | null): Promise<void> {
    const { journal, origin, keys } = this.options;
    const { logKeys } = keys();
    let size = 0n;
    if (note !== null) {
      const { checkpoint } = openCheckpoint(note, { origin, logKeys, verify: verifyEd25519ByNode });
      await journal.assertContains(checkpoint);
      size = checkpoint.size;
    }
    this.#held.set(witness, size);
    if (!this.isVouched) return;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    await this.publish();
  }

  async #settle(witness: string, reply: Extract<WitnessMessage, { kind: 'reply' }>): Promise<void> {
    const { journal } = this.options;
    const offered = this.#offered.get(witness);
    this.#offered.delete(witness);
    if (reply.status === 200 && reply.cosignature !== null && offered) {
      await this.#keep(witness, reply.cosignature, offered.size);
    } else if (reply.code === 'stale-old-size' && reply.size !== null) {
      const size = BigInt(reply.size);
      // its word alone proves nothing: ask for the note, which does
      if (size > journal.size) return this.#send(witness, { kind: 'ask' });
      this.#held.set(witness, size);
    } else if (reply.code === 'fork' || reply.code === 'bad-consistency-proof') {
      return this.#send(witness, { kind: 'ask' });
    } else return;
    // not waited for: offers to all who answered at the same time travel together, and what fails is offered again
    this.#offer(witness, journal.published).catch(() => undefined);
  }

  /** Adds a cosignature of the published note; one of an earlier note says what the witness holds and no more. */
  async #keep(witness: string, line: string, size: bigint): Promise<void> {
    const { journal, origin, keys, onNote } = this.options;
    const { logKeys, witnesses } = keys();
    const note = journal.published;
    this.#held.set(witness, size);
    if (sizeOf(note) !== size) return;
    openCheckpoint(addSignatures(note, [line]), {
      origin,
      logKeys,
      witnessKeys: [witnesses.get(witness) ?? ''],
      quorum: 1,
      verify: verifyEd25519ByNode,
    });
    try {
      onNote?.(await journal.addCosignatures(note, [line]));
    } catch (error) {
      if (!isConcordatError(error, 'stale-checkpoint')) throw error;
    }
  }

  async #offer(witness: string, note: string): Promise<void> {
    const { journal, clock = Date.now } = this.options;
    const held = this.#held.get(witness);
    const size = sizeOf(note);
    if (held === undefined || held >= size) return;
    const offered = this.#offered.get(witness);
    if (offered && clock() - offered.atMs < RESEND_MS) return;
    const proof = await journal.consistencyProof(held, size);
    this.#offered.set(witness, { size, atMs: clock() });
    const body = formatWitnessRequest({ oldSize: held, proof, checkpoint: note });
    await this.#send(witness, { kind: 'add-checkpoint', body });
  }

  /** What the relay does not take now is sent again later. */
  async #send(witness: string, message: WitnessMessage): Promise<void> {
    await this.options.send(witness, message).catch(() => undefined);
  }
}
