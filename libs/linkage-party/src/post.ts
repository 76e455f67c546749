/** How boxes travel: over signed HTTP to the coordinator's relay, or straight into it. */
import { canonicalBytes } from '#libs/bytes';
import { LinkageMail } from '#libs/protocol';

export interface Post {
  /** Throws when the relay is out of reach or full; the box is then sent again. */
  send(to: string, box: string): Promise<void>;
  /** What came after `sequence`; waits for a first item. */
  receive(sequence: number, signal: AbortSignal): Promise<LinkageMail>;
}

/** The signed HTTP client of a process (`SignedClient` of the nest-kit lib). */
interface HttpClient {
  send(
    method: 'GET' | 'POST',
    path: string,
    body?: Uint8Array,
    contentType?: string,
    options?: { readonly signal?: AbortSignal; readonly withinMs?: number },
  ): Promise<{ json(): Promise<unknown> }>;
}

const WAIT_SECONDS = 20;
const POLL_SLACK_SECONDS = 15;

/** The relay as a process that dials out reaches it. */
export const postOver = (client: HttpClient): Post => ({
  async send(to, box) {
    await client.send('POST', '/v1/linkage/mail', canonicalBytes({ to, box }), 'application/json');
  },
  async receive(sequence, signal) {
    const response = await client.send(
      'GET',
      `/v1/linkage/mail?after=${sequence}&wait=${WAIT_SECONDS}`,
      undefined,
      undefined,
      { signal, withinMs: (WAIT_SECONDS + POLL_SLACK_SECONDS) * 1000 },
    );
    return LinkageMail.parse(await response.json());
  },
});
