/**
 * Records the analyst's own part of a round, from the question to the release, where the environment names a collector of traces. Nothing is
 * loaded where it does not.
 */
export async function traceQuestion(
  round: string,
  startedMs: number,
  endedMs: number,
): Promise<void> {
  if (!process.env.OTEL_EXPORTER_OTLP_ENDPOINT) return;
  const { startTracing, traceStep } = await import('#libs/nest-kit');
  const stop = await startTracing('concordat-cli');
  traceStep(round, 'question.ask', startedMs, endedMs);
  await stop();
}
