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

/** The whole body of an answer. Throws `unreachable` when whoever sends it goes away before its end. */
export async function bodyOf(response: Response): Promise<Uint8Array> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new ConcordatError(
      'unreachable',
      `${new URL(response.url).origin} broke off in the middle of its answer; try again when the coordinator runs`,
      { cause },
    );
  }
}

/** The body of an answer as JSON, undefined when it is none. Throws as `bodyOf`. */
export async function jsonOf(response: Response): Promise<unknown> {
  const body = await bodyOf(response);
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
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
  const reply = Reply.safeParse(await jsonOf(response));
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
