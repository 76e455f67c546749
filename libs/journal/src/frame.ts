/**
 * Framing of the record files: a 4-byte word, a CRC-32 of word and payload, the payload; integers big-endian. The word's low
 * 31 bits are the payload's length, its top bit marks the first frame of a batch. A batch is written only after the one
 * before it is durable, so a damaged frame with a batch behind it cannot be the trace of a crash.
 */
import { crc32 } from 'node:zlib';
import { ConcordatError } from '#libs/bytes';

export const HEADER_BYTES = 8;
/** No entry is larger: C2SP bundles allow 65,535 bytes, the federation's messages 60 KiB. */
export const MAX_PAYLOAD_BYTES = 60 * 1024;

const FIRST_OF_BATCH = 0x8000_0000;

/** Throws `entry-size` for a payload that no frame holds. */
export function assertPayload({ length }: Uint8Array): void {
  if (length >= 1 && length <= MAX_PAYLOAD_BYTES) return;
  throw new ConcordatError(
    'entry-size',
    `an entry is 1 to ${MAX_PAYLOAD_BYTES} bytes; store what is larger as a blob and log its hash`,
  );
}

/** The frames of one batch. Throws `entry-size` unless payloads are 1 to `MAX_PAYLOAD_BYTES` long. */
export function formatBatch(payloads: readonly Uint8Array[]): Buffer {
  payloads.forEach(assertPayload);
  const total = payloads.reduce((bytes, payload) => bytes + HEADER_BYTES + payload.length, 0);
  const batch = Buffer.allocUnsafe(total);
  let at = 0;
  payloads.forEach((payload, i) => {
    batch.writeUInt32BE(((i === 0 ? FIRST_OF_BATCH : 0) | payload.length) >>> 0, at);
    batch.set(payload, at + HEADER_BYTES);
    const checksum = crc32(payload, crc32(batch.subarray(at, at + 4)));
    batch.writeUInt32BE(checksum, at + 4);
    at += HEADER_BYTES + payload.length;
  });
  return batch;
}

export interface Frame {
  /** A view of the scanned bytes. */
  readonly payload: Uint8Array;
  /** Bytes of header and payload. */
  readonly length: number;
  readonly isFirstOfBatch: boolean;
}

/** The whole frame at `at`, or `'short'` when the bytes end before it does, or `'damaged'`. */
export function readFrame(bytes: Buffer, at: number): Frame | 'short' | 'damaged' {
  if (bytes.length - at < HEADER_BYTES) return 'short';
  const word = bytes.readUInt32BE(at);
  const size = word & ~FIRST_OF_BATCH;
  if (size < 1 || size > MAX_PAYLOAD_BYTES) return 'damaged';
  const end = at + HEADER_BYTES + size;
  if (bytes.length < end) return 'short';
  const payload = bytes.subarray(at + HEADER_BYTES, end);
  if (crc32(payload, crc32(bytes.subarray(at, at + 4))) !== bytes.readUInt32BE(at + 4)) {
    return 'damaged';
  }
  return { payload, length: end - at, isFirstOfBatch: word >= FIRST_OF_BATCH };
}

/** True when some whole frame that begins a batch starts after `from`. */
export function hasLaterBatch(bytes: Buffer, from: number): boolean {
  for (let at = from + 1; at + HEADER_BYTES < bytes.length; at++) {
    // the word's high half is 0x8000 for the first frame of a batch: cheap to rule out before the checksum
    if (bytes[at] !== 0x80 || bytes[at + 1] !== 0) continue;
    const frame = readFrame(bytes, at);
    if (typeof frame === 'object' && frame.isFirstOfBatch) return true;
  }
  return false;
}
