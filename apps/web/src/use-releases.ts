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

/** Published releases, newest first; asked for again while there are none, so that the first one appears by itself. */
export function useReleases(): Fetched<readonly Release[]> {
  const [state, setState] = useState<Fetched<readonly Release[]>>({ loading: true });
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      try {
        const value = await fetchReleases(abort.signal);
        setState({ value, loading: false });
        if (value.length > 0) return;
      } catch {
        if (abort.signal.aborted) return;
        setState({
          loading: false,
          problem: 'The coordinator does not answer. It is asked again every few seconds.',
        });
      }
      timer = setTimeout(look, LOOK_AGAIN_MS);
    };
    void look();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, []);
  return state;
}
