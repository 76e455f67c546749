import { useEffect, useRef, useState } from 'preact/hooks';
import {
  askLayer,
  cancelLayer,
  type ForecastLayer,
  fetchForecasts,
  fetchLayer,
  type LayerDocument,
  type LayerQuestion,
  LayerRefused,
} from './layer-client.js';
import { type Fetched, failed } from './use-releases.js';

/** A layer on its way: asked for, computed by the coordinator, read; or why not. */
export type Computation =
  | { readonly step: 'idle' }
  | { readonly step: 'computing'; readonly progress: number; readonly key?: string }
  | { readonly step: 'done'; readonly document: LayerDocument }
  | { readonly step: 'failed'; readonly code: string; readonly message: string };

/** A slider that is dragged over ten months asks once. */
const SETTLED_MS = 300;

const CANCELLED: Computation = {
  step: 'failed',
  code: 'cancelled',
  message: 'The computation was cancelled. Try again to start it anew.',
};

const failure = (error: unknown): Computation =>
  error instanceof LayerRefused
    ? { step: 'failed', code: error.code, message: error.message }
    : {
        step: 'failed',
        code: 'unreachable',
        message: 'The coordinator does not answer. Check the connection, then try again.',
      };

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });

/**
 * Asks for a layer until it is there. `retry` asks again after a failure, for the `attempt`-th time; `cancel` ends the computation for
 * everybody.
 */
export function useComputation(question: LayerQuestion | undefined): {
  readonly state: Computation;
  readonly attempt: number;
  readonly retry: () => void;
  readonly cancel: () => void;
} {
  const [state, setState] = useState<Computation>({ step: 'idle' });
  const [attempt, setAttempt] = useState(0);
  const asking = useRef<AbortController>(undefined);
  const name = question && JSON.stringify(question);
  useEffect(() => {
    if (!question) {
      setState({ step: 'idle' });
      return;
    }
    const abort = new AbortController();
    asking.current = abort;
    const { signal } = abort;
    const ask = async (): Promise<Computation> => {
      await pause(SETTLED_MS, signal);
      for (;;) {
        const { key, status, progress, code, message } = await askLayer(question, signal);
        if (status === 'done') return { step: 'done', document: await fetchLayer(key, signal) };
        if (status === 'failed') {
          return { step: 'failed', code: code ?? 'failed', message: message ?? 'no reason given' };
        }
        if (status === 'cancelled') return CANCELLED;
        setState({ step: 'computing', progress, key });
      }
    };
    setState({ step: 'computing', progress: 0 });
    ask().then(
      (next) => !signal.aborted && setState(next),
      (error) => !signal.aborted && setState(failure(error)),
    );
    return () => abort.abort();
  }, [name, attempt]);
  return {
    state,
    attempt,
    retry: () => setAttempt((n) => n + 1),
    cancel: () => {
      if (state.step !== 'computing' || !state.key) return;
      // Asking on would start the computation again.
      asking.current?.abort();
      setState(CANCELLED);
      cancelLayer(state.key).catch((error) => setState(failure(error)));
    },
  };
}

/** Forecast layers that anybody ever switched on, asked for again each time the view is opened. */
export function useForecasts(wanted: boolean): Fetched<readonly ForecastLayer[]> {
  const [layers, setLayers] = useState<Fetched<readonly ForecastLayer[]>>({ loading: true });
  useEffect(() => {
    if (!wanted) return;
    const abort = new AbortController();
    setLayers({ loading: true });
    fetchForecasts(abort.signal).then(
      (value) => setLayers({ value, loading: false }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setLayers({ loading: false, problem: failed('The forecast layers did not load', error) });
      },
    );
    return () => abort.abort();
  }, [wanted]);
  return layers;
}
