/**
 * Aborts after `ms`, also where nobody but `AbortSignal.any` knows of it. Of an `AbortSignal.timeout` it keeps no hold: Node 20 collects it as
 * garbage, and what waits for it waits for ever (nodejs/node issue 57736).
 */
export function timeLimit(ms: number): AbortSignal {
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new DOMException('The operation timed out.', 'TimeoutError')),
    ms,
  );
  timer.unref();
  return limit.signal;
}
