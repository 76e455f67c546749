/** RFC 9457 problem documents: the one shape of every error that leaves a process over HTTP. */
import { z } from 'zod';
import { Code } from './names.js';

export const PROBLEM_PREFIX = 'urn:concordat:problem:';

export const Problem = z.strictObject({
  type: z.string().startsWith(PROBLEM_PREFIX),
  title: z.string(),
  status: z.int().min(400).max(599),
  code: Code,
});
export type Problem = z.infer<typeof Problem>;

/** A problem document for `code`; `title` is written for people and holds no value of the request. */
export const problem = (status: number, code: string, title: string): Problem => ({
  type: `${PROBLEM_PREFIX}${code}`,
  title,
  status,
  code,
});
