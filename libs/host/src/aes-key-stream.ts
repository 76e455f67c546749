import { createCipheriv } from 'node:crypto';

const BLOCK_BYTES = 16;
let zeros = Buffer.alloc(128 * 1024);

/**
 * Opens AES-256 in counter mode under a 32-byte `seed` at block `firstBlock` (NIST SP 800-38A section 6.5, counter from zero), by OpenSSL
 * with the processor's AES instructions: each call of what it returns gives the next so many bytes. It is the sealing lib's
 * `KeyStream`, and equal to its reference byte for byte.
 */
export function aesKeyStream(seed: Uint8Array, firstBlock: number): (bytes: number) => Uint8Array {
  const counter = Buffer.alloc(BLOCK_BYTES);
  counter.writeBigUInt64BE(BigInt(firstBlock), 8);
  const cipher = createCipheriv('aes-256-ctr', seed, counter);
  return (bytes) => {
    if (zeros.length < bytes) zeros = Buffer.alloc(bytes);
    return cipher.update(zeros.subarray(0, bytes));
  };
}
