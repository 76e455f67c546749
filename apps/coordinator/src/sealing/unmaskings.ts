import { Inject, Injectable } from '@nestjs/common';
import { ConcordatError } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import {
  openEnvelope,
  type SignedUnmask,
  type SignedUnmasked,
  seal,
  type Unmask,
  Unmasked,
  UnmaskRefusal,
} from '#libs/protocol';
import { COORDINATOR, type Coordinator } from '../coordinator.js';
import { WaitingPolls } from '../waiting-polls.js';

interface Waiting {
  readonly asked: SignedUnmask;
  readonly resolve: (unmasked: SignedUnmasked) => void;
  readonly reject: (error: ConcordatError) => void;
}

const refuse = (code: string, why: string): never => {
  throw new ConcordatError(code, why);
};

/**
 * What the coordinator asks of the auditor, which fetches it and brings the sums: the coordinator dials nobody. Kept in memory: the log says
 * which rounds are unmasking, and the auditor answers the same question alike however often.
 */
@Injectable()
export class Unmaskings {
  private readonly waiting = new Map<string, Waiting>();
  private readonly polls = new WaitingPolls();

  constructor(@Inject(COORDINATOR) private readonly coordinator: Coordinator) {}

  /**
   * Asks for the sum of the masks of these contributors and waits for it, for as long as `signal` lets it. Rejects with the code with which the
   * auditor refuses.
   */
  ask(payload: Unmask, signal: AbortSignal): Promise<SignedUnmasked> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        signal.removeEventListener('abort', abort);
        this.waiting.delete(payload.round);
      };
      const abort = (): void => {
        end();
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort);
      this.waiting.set(payload.round, {
        asked: seal('unmask', payload, this.coordinator.key),
        resolve: (unmasked) => {
          end();
          resolve(unmasked);
        },
        reject: (error) => {
          end();
          reject(error);
        },
      });
      this.polls.wake('unmask');
    });
  }

  /** Everything that is asked at present; waits up to `waitMs` for a first. Throws `stopping` once it is closed. */
  async pending(waitMs: number, signal?: AbortSignal): Promise<SignedUnmask[]> {
    if (this.waiting.size === 0 && waitMs > 0) await this.polls.wait('unmask', waitMs, signal);
    return [...this.waiting.values()].map(({ asked }) => asked);
  }

  /** Takes what the auditor signed about a round. What nobody waits for any more changes nothing. */
  answer(round: string, envelope: SignedUnmasked): void {
    const { publicKey } = this.coordinator.federation.manifest.auditor;
    const unmasked = openEnvelope('unmasked', Unmasked, envelope, publicKey, verifySignature);
    const waiting = this.find(round, unmasked);
    if (!waiting) return;
    const { contributors } = waiting.asked.payload;
    if (JSON.stringify(unmasked.contributors) !== JSON.stringify(contributors)) {
      refuse('wrong-contributors', 'these are the masks of other contributors than were asked for');
    }
    waiting.resolve(envelope);
  }

  /** Takes the auditor's refusal: the round ends with its code. */
  refused(round: string, envelope: unknown): void {
    const { publicKey } = this.coordinator.federation.manifest.auditor;
    const refusal = openEnvelope(
      'unmask-refusal',
      UnmaskRefusal,
      envelope,
      publicKey,
      verifySignature,
    );
    this.find(round, refusal)?.reject(
      new ConcordatError(refusal.code, 'the auditor does not sum the masks of this round'),
    );
  }

  /** Refuses every waiting poll, and new ones. */
  close(): void {
    this.polls.close();
  }

  private find(
    round: string,
    said: { readonly round: string; readonly manifest: string; readonly fingerprint: string },
  ): Waiting | undefined {
    if (said.round !== round)
      refuse('wrong-round', 'the message names another round than its address');
    const waiting = this.waiting.get(round);
    const asked = waiting?.asked.payload;
    if (asked && (asked.manifest !== said.manifest || asked.fingerprint !== said.fingerprint)) {
      refuse('wrong-fingerprint', 'the message is about another question');
    }
    return waiting;
  }
}
