import { hash } from 'node:crypto';
import { bytesToHex } from '#libs/bytes';

/** 128 bits as two unsigned words. */
export interface RowKey {
  readonly high: bigint;
  readonly low: bigint;
}

/** What the index keeps in place of identifiers. All of it is keyed, so that the index alone cannot be tried with known ones. */
export interface RowKeys {
  /** One key for one incident reference in one month. */
  incident(month: number, id: string): RowKey;
  /**
   * One key for the n-th row of one person and year in one file, where rows have no reference but their order must be keyed. It does
   * not depend on how many rows of others, or of other years, stand between them.
   */
  personRow(file: string, person: RowKey, year: number, n: number): RowKey;
  person(reference: string): RowKey;
}

/**
 * Keys are the first 128 bits of SHA-256(secret of 32 bytes, purpose, value). Cutting the digest in half is what makes the
 * plain prefix construction a sound keyed hash (no length extension); two rows collide with probability n^2/2^129.
 */
export function rowKeys(secret: Uint8Array): RowKeys {
  const prefix = bytesToHex(secret);
  const key = (purpose: string, value: string): RowKey => {
    const digest = hash('sha256', `${prefix}${purpose}\0${value}`);
    return { high: BigInt(`0x${digest.slice(0, 16)}`), low: BigInt(`0x${digest.slice(16, 32)}`) };
  };
  return {
    incident: (month, id) => key('incident', `${month}\0${id}`),
    personRow: (file, { high, low }, year, n) =>
      key('person-row', `${n}\0${year}\0${high}\0${low}\0${file}`),
    person: (reference) => key('person', reference),
  };
}
