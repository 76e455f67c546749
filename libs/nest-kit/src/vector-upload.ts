import { ConcordatError } from '#libs/bytes';
import { Upload } from '#libs/protocol';
import type { SignedClient } from './signed-client.js';

/** After this an upload is tried anew, from where it came to. */
const UPLOAD_TIMEOUT_MS = 10 * 60_000;

/** Uploads a vector under its own SHA-256, or the rest of it when a connection broke before. Uploading it again changes nothing. */
export async function uploadVector(
  http: SignedClient,
  digest: string,
  bytes: Uint8Array,
): Promise<void> {
  const path = `/v1/vectors/${digest}`;
  const parsed = Upload.safeParse(await (await http.send('GET', path)).json());
  if (!parsed.success || parsed.data.offset > bytes.length)
    throw new ConcordatError('malformed-message', 'the state of an upload is not well-formed');
  const { offset, complete } = parsed.data;
  if (complete) return;
  await http.send(
    'PATCH',
    `${path}?offset=${offset}&length=${bytes.length}`,
    bytes.subarray(offset),
    'application/octet-stream',
    { withinMs: UPLOAD_TIMEOUT_MS },
  );
}
