import { ConcordatError, canonicalBytes } from '#libs/bytes';
import { type SignedClient, uploadVector } from '#libs/nest-kit';
import { Inbox } from '#libs/protocol';

/** How much longer than asked a long poll may take. */
const POLL_SLACK_SECONDS = 15;

/** What a node sends and fetches: the node's only way out. */
export class CoordinatorClient {
  constructor(private readonly http: SignedClient) {}

  /** Everything in the inbox after `sequence`; waits up to `waitSeconds` for something to come. */
  async inbox(sequence: number, waitSeconds: number, signal: AbortSignal): Promise<Inbox> {
    const response = await this.http.send(
      'GET',
      `/v1/inbox?after=${sequence}&wait=${waitSeconds}`,
      undefined,
      undefined,
      { signal, withinMs: (waitSeconds + POLL_SLACK_SECONDS) * 1000 },
    );
    const parsed = Inbox.safeParse(await response.json());
    if (!parsed.success)
      throw new ConcordatError('malformed-message', 'the inbox is not well-formed');
    return parsed.data;
  }

  /** Posts a message of the protocol. */
  async post(path: string, message: unknown): Promise<void> {
    await this.http.send('POST', path, canonicalBytes(message), 'application/json');
  }

  /** Uploads a vector under its own SHA-256, or the rest of it when a connection broke before. Uploading it again changes nothing. */
  async putVector(digest: string, bytes: Uint8Array): Promise<void> {
    await uploadVector(this.http, digest, bytes);
  }
}
