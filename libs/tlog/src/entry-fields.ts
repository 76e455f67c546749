/** Shapes that several kinds of log entry share. Every text and list is bounded in length. */
import { z } from 'zod';

export const MAX_AGENCIES = 400;

const isInstant = (text: string): boolean => {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text;
};

export const at = z.string().length(24).refine(isInstant, 'an instant in UTC with milliseconds');

export const digest = z.string().regex(/^[0-9a-f]{64}$/);

export const kebab = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);

export const roundId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

/** A short printable text, NFC, without leading or trailing space: names of people and bodies, reasons, places in a document. */
export const line = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .refine(
      (text) => text === text.trim().normalize('NFC') && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text),
      'a printable line in NFC',
    );

export const actor = line(200);

export const agencies = z.array(kebab).max(MAX_AGENCIES).readonly();

export const recipient = line(200);
