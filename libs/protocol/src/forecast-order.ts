/**
 * An order to switch a forecast layer on or off, signed by an analyst of the manifest (purpose `forecast`). Whoever switches one on owns
 * it: their name, their purpose and the order itself stand in the coordinator's log.
 */
import { z } from 'zod';
import { CATEGORIES } from '#libs/query';
import { signedSchema } from './envelope.js';
import { Digest, Instant, Name } from './names.js';

/** The role in the manifest that may switch a layer on. Any analyst may switch one off. */
export const FORECAST_OWNER = 'forecast-owner';

/** What a layer forecasts: always the same thing, from whichever releases. */
export const ForecastDefinition = z.strictObject({
  category: z.enum(CATEGORIES),
  resolution: z.int().min(4).max(9),
  /** Months ahead. */
  horizon: z.int().min(1).max(4),
  /** Share of the cells that can be attended to, as decimal text. */
  top: z
    .string()
    .max(24)
    .regex(/^0\.\d*[1-9]$/),
});
export type ForecastDefinition = z.infer<typeof ForecastDefinition>;

const signer = {
  layer: Name,
  analyst: Name,
  manifest: Digest,
  at: Instant,
};

export const ForecastOrder = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('enable'),
    ...signer,
    purpose: Name,
    definition: ForecastDefinition,
  }),
  z.strictObject({
    action: z.literal('disable'),
    ...signer,
    reason: z
      .string()
      .min(1)
      .max(500)
      .refine((text) => text === text.trim().normalize('NFC') && !/\p{C}/u.test(text)),
  }),
]);
export type ForecastOrder = z.infer<typeof ForecastOrder>;

export const SignedForecastOrder = signedSchema(ForecastOrder);
export type SignedForecastOrder = z.infer<typeof SignedForecastOrder>;
