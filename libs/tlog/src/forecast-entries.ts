/** Entries of the coordinator about forecasts: who put which in use, who took it back, and that one misses. */
import { z } from 'zod';
import { actor, at, digest, kebab, line } from './entry-fields.js';

/** A share of the cells as decimal text, such as 0.01. */
const share = z
  .string()
  .max(24)
  .regex(/^0\.\d*[1-9]$/);

/** A forecast layer is served from here on: who answers for it, what it is, and the signed order. */
const forecastEnabled = z.strictObject({
  kind: z.literal('forecast.enabled'),
  at,
  actor,
  layer: kebab,
  purpose: kebab,
  definition: z.strictObject({
    category: kebab,
    resolution: z.int().min(4).max(9),
    horizon: z.int().min(1).max(4),
    top: share,
  }),
  /** SHA-256 of the signed order, which is a blob. */
  order: digest,
});

const forecastDisabled = z.strictObject({
  kind: z.literal('forecast.disabled'),
  at,
  actor,
  layer: kebab,
  reason: line(500),
  order: digest,
});

/** The newest months were hit clearly less often than those before. */
const forecastAlarm = z.strictObject({
  kind: z.literal('forecast.alarm'),
  at,
  actor,
  layer: kebab,
  /** Content key of the result that says so. */
  result: digest,
});

export const forecastEntries = [forecastEnabled, forecastDisabled, forecastAlarm] as const;
