export { canonicalBytes, canonicalJson, type Json, parseCanonicalJson } from './canonical-json.js';
export { digestOf, domainDigest, domainMessage, sha256Hex } from './digest.js';
export {
  bytesToHex,
  concatBytes,
  equalBytes,
  fromBase64,
  fromBase64url,
  fromHex,
  fromUtf8,
  toBase64,
  toBase64url,
  utf8ToBytes,
} from './encoding.js';
export { ConcordatError, exitCodeOf, failureOf, isConcordatError } from './errors.js';
export { nestsTooDeep } from './yaml-nesting.js';
