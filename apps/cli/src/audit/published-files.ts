/**
 * Files of a host that may be anybody's: each is bounded in bytes and in time, its status is judged, and a redirection is not followed,
 * so that the host cannot send this machine elsewhere.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ConcordatError } from '#libs/bytes';

export interface FetchLimits {
  /** Longest silence: before the first byte, and between two. */
  readonly silenceMs: number;
  /** Longest time for one file. */
  readonly fileMs: number;
  /** How often a host that says "later" (429, 503) is asked again. */
  readonly attempts: number;
}

export const FETCH_LIMITS: FetchLimits = { silenceMs: 30_000, fileMs: 600_000, attempts: 6 };

const MAX_WAIT_SECONDS = 60;

const unreachable = (host: string, why: string, cause?: unknown): ConcordatError =>
  new ConcordatError('unreachable', `${host} ${why}`, { cause });

/** Seconds that a host asks for, 1 when it says nothing that can be read. */
const waitSeconds = (response: Response): number =>
  Number(/^\d{1,4}$/.exec(response.headers.get('retry-after') ?? '')?.[0] ?? 1);

/** The answer to one GET, or undefined for a file that is not there. */
async function ask(
  url: URL,
  signal: AbortSignal,
  onAnswer: () => void,
  { attempts }: FetchLimits,
): Promise<Response | undefined> {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(url, { signal, redirect: 'manual' });
    onAnswer();
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 404 || response.status === 410) return undefined;
    if (response.status >= 300 && response.status < 400) {
      throw new ConcordatError(
        'redirected',
        `${url.host} sends elsewhere, which is not followed; give the address it names, if you trust it`,
      );
    }
    const isLater = response.status === 429 || response.status === 503;
    const seconds = waitSeconds(response);
    if (!isLater || attempt >= attempts || seconds > MAX_WAIT_SECONDS) {
      throw unreachable(url.host, `answered ${response.status}`);
    }
    await pause(seconds * 1000, undefined, { signal });
    onAnswer();
  }
}

/**
 * Hands the bytes of a file to `onChunk` as they come; false when there is no such file. Throws `file-too-large` beyond `maxBytes`,
 * `redirected`, and `unreachable` for silence, slowness, a body that breaks off and every other status.
 */
export async function fetchFile(
  url: URL,
  maxBytes: number,
  onChunk: (bytes: Uint8Array) => void,
  limits: FetchLimits = FETCH_LIMITS,
): Promise<boolean> {
  const stop = new AbortController();
  const whole = setTimeout(() => stop.abort(), limits.fileMs);
  let silence: NodeJS.Timeout | undefined;
  const heard = (): void => {
    clearTimeout(silence);
    silence = setTimeout(() => stop.abort(), limits.silenceMs);
  };
  heard();
  try {
    const response = await ask(
      url,
      stop.signal,
      () => {
        // a host that asks for patience is not silent: the time for the whole file goes on
        clearTimeout(silence);
        silence = setTimeout(() => stop.abort(), limits.silenceMs + MAX_WAIT_SECONDS * 1000);
      },
      limits,
    );
    if (!response) return false;
    heard();
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      heard();
      bytes += chunk.length;
      if (bytes > maxBytes) {
        throw new ConcordatError(
          'file-too-large',
          `${url.host} sends more than ${maxBytes} bytes for ${url.pathname}`,
        );
      }
      onChunk(chunk);
    }
    return true;
  } catch (error) {
    if (error instanceof ConcordatError) throw error;
    const why = stop.signal.aborted ? 'is too slow' : 'does not answer, or breaks off';
    throw unreachable(url.host, why, error);
  } finally {
    clearTimeout(whole);
    clearTimeout(silence);
    // ends a body that was not read to its end
    stop.abort();
  }
}

/** A small file whole; undefined when there is none. Throws as `fetchFile` does. */
export async function readPublished(
  url: URL,
  maxBytes: number,
  limits?: FetchLimits,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  const isThere = await fetchFile(url, maxBytes, (chunk) => chunks.push(chunk), limits);
  return isThere ? Uint8Array.from(Buffer.concat(chunks)) : undefined;
}
