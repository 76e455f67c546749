import { z } from 'zod';

/** Lower-case hex of a SHA-256 digest. */
export const Digest = z.string().regex(/^[0-9a-f]{64}$/);
/** Identifier of an agency, a process or an analyst: kebab-case ASCII. */
export const Name = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/);
/** 32 raw bytes of an Ed25519 public key in base64url. */
export const PublicKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
/** 32 raw bytes of an X25519 public key in base64url. */
export const BoxPublicKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
/** 64 raw bytes of an Ed25519 signature in base64url. */
export const Signature = z.string().regex(/^[A-Za-z0-9_-]{86}$/);
/** Instant in UTC with milliseconds. */
export const Instant = z.iso.datetime({ precision: 3 });
/** Random identifier of a round: 16 bytes in hex. */
export const RoundId = z.string().regex(/^[0-9a-f]{32}$/);
/** Machine-readable refusal or fault code. */
export const Code = z
  .string()
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/)
  .max(64);
/** Canonical positive rational such as `1/8` or `2`. */
export const RationalText = z.string().regex(/^[1-9][0-9]{0,39}(?:\/[1-9][0-9]{0,39})?$/);
/** Count of something in a log: decimal, so that sizes beyond 2^53 survive. */
export const Size = z.string().regex(/^(?:0|[1-9][0-9]{0,19})$/);
/** One ISO 8601 week. */
export const WeekText = z.string().regex(/^\d{4}-W(?:0[1-9]|[1-4]\d|5[0-3])$/);
/** One calendar month, an inclusive window of months, or one week. */
export const PeriodText = z.union([
  z.string().regex(/^\d{4}-(?:0[1-9]|1[0-2])(?:\/\d{4}-(?:0[1-9]|1[0-2]))?$/),
  WeekText,
]);
/** One calendar month. */
export const MonthText = z.string().regex(/^\d{4}-(?:0[1-9]|1[0-2])$/, 'a month YYYY-MM');

/** Origin line and key name of the log of one process of a federation. */
export const logOrigin = (federation: string, process: string): string =>
  `concordat/${federation}/${process}`;
