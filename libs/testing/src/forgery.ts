/** What forged requests are made of, and the one answer that all of them get. */
import { bytesToHex, fromBase64, fromHex, toBase64 } from '#libs/bytes';
import { PROBLEM_PREFIX } from '#libs/protocol';

/** Order of the group, RFC 8032 section 5.1. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** Points of small order (RFC 8032 section 5.1.7 lets a verifier take them), hex: the neutral one, and one of order 8. */
export const SMALL_ORDER = {
  one: `01${'00'.repeat(31)}`,
  eight: '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
} as const;

/** Status and body of every refusal of a request for its signature. */
export const REFUSED_REQUEST = {
  status: 401,
  body: JSON.stringify({
    type: `${PROBLEM_PREFIX}bad-request-signature`,
    title: 'the request is not signed as the federation asks; docs/protocol/messages.md says how',
    status: 401,
    code: 'bad-request-signature',
  }),
} as const;

type Headers = Record<string, string>;

const number = (littleEndian: Uint8Array): bigint =>
  BigInt(`0x${bytesToHex(Uint8Array.from(littleEndian).reverse())}`);
const scalar = (value: bigint): Uint8Array =>
  Uint8Array.from(fromHex(value.toString(16).padStart(64, '0'))).reverse();

function withSignature(headers: Headers, change: (signature: Uint8Array) => Uint8Array): Headers {
  const signature = fromBase64(String(headers.signature).slice('sig1=:'.length, -1));
  return { ...headers, signature: `sig1=:${toBase64(change(signature))}:` };
}

/** The same signature by its other form, S + L, which OpenSSL refuses and other verifiers take. */
export const malleated = (headers: Headers): Headers =>
  withSignature(headers, (signature) =>
    Uint8Array.of(...signature.subarray(0, 32), ...scalar(number(signature.subarray(32)) + L)),
  );

/** The signature with another R. */
export const withR = (headers: Headers, point: string): Headers =>
  withSignature(headers, (signature) =>
    Uint8Array.of(...fromHex(point), ...signature.subarray(32)),
  );

/** The headers with another text of what was signed. */
export const withInput = (headers: Headers, change: (input: string) => string): Headers => ({
  ...headers,
  'signature-input': change(String(headers['signature-input'])),
});
