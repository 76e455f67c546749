/**
 * HTTP message signatures of responses, RFC 9421 section 2.4: status, body digest and the signature of the request that they answer,
 * so that no response can be replayed to another request, and none can be altered on the way.
 */
import { fromBase64url, utf8ToBytes } from '#libs/bytes';
import type { MessageSigner, VerifySignature } from './envelope.js';
import { type SignatureHeaders, signatureBytes, signatureHeader } from './http-signature.js';

/** Clocks further apart than this are not measured any more: the response is refused. */
export const MAX_SKEW_SECONDS = 600;

export interface SignableResponse {
  readonly status: number;
  readonly contentDigest: string;
  /** Value of the `signature` header of the request. */
  readonly requestSignature: string;
}

export type ResponseFault = 'no-signature' | 'other-profile' | 'bad-signature' | 'clock-skew';

const COMPONENTS = '("@status" "content-digest" "signature";req)';
const INPUT =
  /^sig1=\("@status" "content-digest" "signature";req\);created=(0|[1-9]\d{0,11});keyid="([a-z0-9-]{1,64})";alg="ed25519"$/;

const signatureBase = (response: SignableResponse, parameters: string): Uint8Array =>
  utf8ToBytes(
    [
      `"@status": ${response.status}`,
      `"content-digest": ${response.contentDigest}`,
      `"signature";req: ${response.requestSignature}`,
      `"@signature-params": ${parameters}`,
    ].join('\n'),
  );

/** Headers that sign a response as `keyId`, at `createdSeconds` (Unix time); undefined when the request was not signed as ours are. */
export function signResponse(
  response: SignableResponse,
  keyId: string,
  createdSeconds: number,
  signer: MessageSigner,
): SignatureHeaders | undefined {
  if (!signatureBytes(response.requestSignature)) return undefined;
  const parameters = `${COMPONENTS};created=${createdSeconds};keyid="${keyId}";alg="ed25519"`;
  return {
    'content-digest': response.contentDigest,
    'signature-input': `sig1=${parameters}`,
    signature: signatureHeader(signer.sign(signatureBase(response, parameters))),
  };
}

/**
 * Verifies a response whose body the caller hashed into `contentDigest`. What binds it to this moment is the request's nonce, so
 * `created` only tells the sender's clock: the result is its time minus `nowSeconds`, in seconds.
 */
export function verifyResponse(
  response: SignableResponse,
  headers: { readonly [name in keyof SignatureHeaders]: string | null },
  sender: {
    readonly publicKey: string;
    readonly nowSeconds: number;
    readonly verify: VerifySignature;
  },
): { readonly skewSeconds: number } | { readonly fault: ResponseFault } {
  const input = headers['signature-input'];
  if (input === null || headers.signature === null) return { fault: 'no-signature' };
  const parameters = INPUT.exec(input);
  const signature = signatureBytes(headers.signature);
  if (!parameters || !signature) return { fault: 'other-profile' };
  if (headers['content-digest'] !== response.contentDigest) return { fault: 'bad-signature' };
  const base = signatureBase(response, parameters[0].slice('sig1='.length));
  if (!sender.verify(fromBase64url(sender.publicKey), base, signature)) {
    return { fault: 'bad-signature' };
  }
  const skewSeconds = Number(parameters[1]) - sender.nowSeconds;
  return Math.abs(skewSeconds) > MAX_SKEW_SECONDS ? { fault: 'clock-skew' } : { skewSeconds };
}
