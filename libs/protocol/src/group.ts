import { z } from 'zod';
import { digestOf } from '#libs/bytes';
import { CATEGORIES } from '#libs/query';
import { PeriodText } from './names.js';

/** One part of an answer: a category in a period. */
export const Group = z.strictObject({ category: z.enum(CATEGORIES), period: PeriodText });
export type Group = z.infer<typeof Group>;

/** Digest of what the values of a vector stand for, which is public: the groups, in the vector's order, and the finest resolution. */
export const layoutDigest = (groups: readonly Group[], resolution: number): string =>
  digestOf('concordat/layout/v1', {
    groups: groups.map(({ category, period }) => ({ category, period })),
    resolution,
  });
