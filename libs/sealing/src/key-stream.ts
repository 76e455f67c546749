/**
 * AES-256 in counter mode (NIST SP 800-38A section 6.5) as a source of pseudorandom bytes: block i of the stream of a seed is the
 * AES-256 of the 128-bit big-endian number i under the seed. A seed is used for one vector only, so the counter starts at zero.
 */
import { ctr } from '@noble/ciphers/aes.js';

export const BLOCK_BYTES = 16;

/**
 * Opens the stream of a 32-byte seed at block `firstBlock`; each call of what it returns gives the next so many bytes, a multiple of 16
 * but for the last. Processes pass the one of the keystore lib, which uses the processor's AES; all give the same bytes.
 */
export type KeyStream = (seed: Uint8Array, firstBlock: number) => (bytes: number) => Uint8Array;

/** The stream in JavaScript: what browsers use, and what tests compare others with. */
export const referenceKeyStream: KeyStream = (seed, firstBlock) => {
  let block = firstBlock;
  return (bytes) => {
    const counter = new Uint8Array(BLOCK_BYTES);
    new DataView(counter.buffer).setBigUint64(8, BigInt(block));
    block += Math.ceil(bytes / BLOCK_BYTES);
    return ctr(seed, counter).encrypt(new Uint8Array(bytes));
  };
};
