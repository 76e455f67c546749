import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';

const TIMEOUT_MS = 300_000;

const Reply = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(z.object({ message: z.string(), extensions: z.object({ code: z.string() }).optional() }))
    .optional(),
});

/** Fetches, turning "nobody there" into `unreachable` with advice. */
export async function reach(url: URL, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), ...init });
  } catch (cause) {
    throw new ConcordatError(
      'unreachable',
      `${url.origin} does not answer; is the coordinator running there?`,
      { cause },
    );
  }
}

/** One GraphQL request; the first error becomes a `ConcordatError` with its code, the data goes through `schema`. */
export async function graphql<T extends z.ZodType>(
  baseUrl: string,
  document: string,
  variables: Readonly<Record<string, unknown>>,
  schema: T,
): Promise<z.infer<T>> {
  const response = await reach(new URL('/graphql', baseUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: document, variables }),
  });
  const reply = Reply.safeParse(await response.json().catch(() => undefined));
  if (!reply.success)
    throw new ConcordatError('not-a-coordinator', `${baseUrl} does not speak GraphQL`);
  const [error] = reply.data.errors ?? [];
  if (error) throw new ConcordatError(error.extensions?.code ?? 'graphql', error.message);
  const data = schema.safeParse(reply.data.data);
  if (!data.success)
    throw new ConcordatError(
      'unexpected-answer',
      'the coordinator runs another version than this command',
    );
  return data.data;
}
