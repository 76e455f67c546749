/**
 * Traces (OpenTelemetry) of what happens to one question in every process. The id of a round is 16 random bytes in hex, which is also the form of a
 * W3C trace id: it is the trace id, so that processes agree on it without being told. A layer's is the beginning of its content key. Spans have names, codes and times, and nothing of a question or an
 * answer. Nothing is recorded unless OTEL_EXPORTER_OTLP_ENDPOINT says where to.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import {
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { isConcordatError } from '#libs/bytes';

const SCOPE = 'concordat';
const STOP_WITHIN_MS = 5_000;
const ROUND = /^(?!0{32})[0-9a-f]{16}(?!0{16})[0-9a-f]{16}$/;
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])$/;

/** The span that stands for a round as a whole: every process knows its id. */
const rootOf = (round: string): string => round.slice(16);
let forced: { readonly traceId: string; readonly spanId: string } | undefined;
const ids = {
  generateTraceId: () => forced?.traceId ?? randomBytes(16).toString('hex'),
  generateSpanId: () => forced?.spanId ?? randomBytes(8).toString('hex'),
};

/** Sends spans to the collector that the environment names, as `service`. Resolves to what flushes and stops that; does nothing without one. */
export async function startTracing(
  service: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<() => Promise<void>> {
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT) return async () => {};
  const [{ OTLPTraceExporter }, { BasicTracerProvider, BatchSpanProcessor }, resources, hooks] =
    await Promise.all([
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/sdk-trace-base'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/context-async-hooks'),
    ]);
  const provider = new BasicTracerProvider({
    resource: resources.resourceFromAttributes({
      'service.name': env.OTEL_SERVICE_NAME ?? service,
    }),
    idGenerator: ids,
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  context.setGlobalContextManager(new hooks.AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  return async () => {
    // a collector that is away must not keep a process from ending
    const late = new Promise<void>((resolve) => setTimeout(resolve, STOP_WITHIN_MS).unref());
    await Promise.race([provider.shutdown().catch(() => undefined), late]);
    trace.disable();
    context.disable();
  };
}

/** Trace id of the round or layer whose work is being done, whether or not it is recorded. */
const underWay = new AsyncLocalStorage<string>();

/** Trace id of the round or layer that the work of this moment is for; undefined outside of one. */
export const roundUnderWay = (): string | undefined => underWay.getStore();

/** Does `work` as a span of a round's trace: below the span that caused it, in this process or the one that asked, else below the round. */
export function inRound<T>(round: string, name: string, work: () => Promise<T>): Promise<T> {
  if (!ROUND.test(round)) return work();
  const active = context.active();
  const isOfRound = trace.getSpanContext(active)?.traceId === round;
  const root = { traceId: round, spanId: rootOf(round), traceFlags: TraceFlags.SAMPLED };
  const parent = isOfRound ? active : trace.setSpanContext(active, { ...root, isRemote: true });
  const span = trace.getTracer(SCOPE).startSpan(name, {}, parent);
  return during(span, parent, round, work);
}

/**
 * Does `work` as the one span of a trace of its own: the id of the trace is the first 32 hex digits of a content key, so that whoever knows what was
 * computed finds how. `method` stands in `concordat.method`.
 */
export function inLayer<T>(key: string, method: string, work: () => Promise<T>): Promise<T> {
  const id = key.slice(0, 32);
  if (!ROUND.test(id)) return work();
  const span = withIds({ traceId: id, spanId: randomBytes(8).toString('hex') }, () =>
    trace.getTracer(SCOPE).startSpan('layer.compute', { root: true }, ROOT_CONTEXT),
  );
  span.setAttribute('concordat.method', method);
  return during(span, ROOT_CONTEXT, id, work);
}

/** Does `work` while a span is active, and ends it with what became of that. */
async function during<T>(
  span: Span,
  parent: Context,
  id: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await context.with(trace.setSpan(parent, span), () => underWay.run(id, work));
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.setAttribute('error.type', isConcordatError(error) ? error.code : 'internal');
    throw error;
  } finally {
    span.end();
  }
}

/** What starts a span of given ids. */
function withIds<T>(
  given: { readonly traceId: string; readonly spanId: string },
  start: () => T,
): T {
  forced = given;
  try {
    return start();
  } finally {
    forced = undefined;
  }
}

/** Records what was done for a round before its id was known: a span below the round, of these times (Unix milliseconds). */
export function traceStep(round: string, name: string, startedMs: number, endedMs: number): void {
  if (!ROUND.test(round)) return;
  const root = { traceId: round, spanId: rootOf(round), traceFlags: TraceFlags.SAMPLED };
  const parent = trace.setSpanContext(ROOT_CONTEXT, { ...root, isRemote: true });
  const options = { kind: SpanKind.CLIENT, startTime: startedMs };
  trace.getTracer(SCOPE).startSpan(name, options, parent).end(endedMs);
}

/** Records a round as a whole, once it is over: the span that all others are below. */
export function traceRound(round: string, openedMs: number, endedMs: number, phase: string): void {
  if (!ROUND.test(round)) return;
  const span = withIds({ traceId: round, spanId: rootOf(round) }, () =>
    trace
      .getTracer(SCOPE)
      .startSpan('round', { kind: SpanKind.SERVER, startTime: openedMs, root: true }, ROOT_CONTEXT),
  );
  span.setAttribute('concordat.phase', phase);
  span.end(endedMs);
}

/** W3C Trace Context header of the span under way; undefined when there is none. */
export function traceparent(): string | undefined {
  const span = trace.getSpanContext(context.active());
  if (!span) return undefined;
  return `00-${span.traceId}-${span.spanId}-0${span.traceFlags & TraceFlags.SAMPLED}`;
}

/** The context that such a header gives: only ids, which can spoil no more than a trace. */
export function contextOf(header: string | string[] | undefined): Context {
  const [, traceId, spanId, flags] = (typeof header === 'string' && TRACEPARENT.exec(header)) || [];
  if (traceId === undefined || spanId === undefined) return context.active();
  const traceFlags = flags === '01' ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(context.active(), { traceId, spanId, traceFlags, isRemote: true });
}

/** Runs `work` in a context, and all that it starts. */
export const within = <T>(of: Context, work: () => T): T => context.with(of, work);
