import { useEffect, useState } from 'preact/hooks';
import { fetchReleases, type Release } from './release-client.js';

const LOOK_AGAIN_MS = 5000;

/** A value that is being fetched: the last good one, whether a newer one is on its way, and what went wrong. */
export interface Fetched<T> {
  readonly value?: T;
  readonly loading: boolean;
  readonly problem?: string;
}

/** Why something was not fetched, as people say it. `fetch` throws a TypeError when nobody answers, in every browser's own words. */
const reasonOf = (error: unknown): string => {
  if (error instanceof TypeError)
    return 'no connection. Moving the map or choosing anew asks again';
  return error instanceof Error ? error.message : 'unknown reason';
};

export const failed = (what: string, error: unknown): string => `${what}: ${reasonOf(error)}.`;

/** Published releases, newest first; read again whenever the coordinator says that there are more, so that a new one appears by itself. */
export function useReleases(): Fetched<readonly Release[]> {
  const [state, setState] = useState<Fetched<readonly Release[]>>({ loading: true });
  useEffect(() => {
    let abort = new AbortController();
    const look = async (): Promise<void> => {
      abort.abort();
      abort = new AbortController();
      const { signal } = abort;
      try {
        const value = await fetchReleases(signal);
        if (!signal.aborted) setState({ value, loading: false });
      } catch {
        if (signal.aborted) return;
        // What is known stays; whatever of it does not load says so itself.
        setState((old) => ({
          ...old,
          loading: false,
          ...(!old.value && {
            problem: 'The coordinator does not answer. It is asked again every few seconds.',
          }),
        }));
      }
    };
    const stop = onReleases(
      () => void look(),
      () => void look(),
    );
    return () => {
      stop();
      abort.abort();
    };
  }, []);
  return state;
}

/**
 * Calls `onNews` when the stream of published releases opens and at each new one, `onLost` each time it does not open. A page that nobody
 * looks at holds no connection: browsers open six to one server.
 */
function onReleases(onNews: () => void, onLost: () => void): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const close = (): void => {
    clearTimeout(timer);
    source?.close();
    source = undefined;
  };
  const open = (): void => {
    close();
    source = new EventSource('/v1/releases/events');
    source.addEventListener('releases', onNews);
    source.addEventListener('error', () => {
      onLost();
      // A refused stream stays closed; one that broke comes back by itself.
      if (source?.readyState === EventSource.CLOSED) timer = setTimeout(open, LOOK_AGAIN_MS);
    });
  };
  const follow = (): void => (document.hidden ? close() : open());
  document.addEventListener('visibilitychange', follow);
  follow();
  return () => {
    document.removeEventListener('visibilitychange', follow);
    close();
  };
}
