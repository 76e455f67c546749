/** Batches of elements on the wire: 32 bytes each, one behind the other, in base64url. */
import { ConcordatError, concatBytes, fromBase64url, toBase64url } from '#libs/bytes';

const ELEMENT_BYTES = 32;

export const joinElements = (elements: readonly Uint8Array[]): string =>
  toBase64url(concatBytes(...elements));

/** Throws `malformed-element` for bytes that are no whole number of elements; whether each is one is the group's to say. */
export function splitElements(text: string): Uint8Array[] {
  let bytes: Uint8Array;
  try {
    bytes = fromBase64url(text);
  } catch {
    throw new ConcordatError('malformed-element', 'elements are base64url');
  }
  if (bytes.length % ELEMENT_BYTES !== 0) {
    throw new ConcordatError('malformed-element', 'an element has 32 bytes');
  }
  return Array.from({ length: bytes.length / ELEMENT_BYTES }, (_, i) =>
    bytes.slice(i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES),
  );
}
