/**
 * `node probe.mjs PORT PATH` exits with 0 when http://127.0.0.1:PORT/PATH answers 2xx within 4 seconds, else with 1.
 * For health checks from inside a container: a node listens on loopback only, and the image has no curl.
 */
const [port, path] = process.argv.slice(2);
const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
  signal: AbortSignal.timeout(4_000),
}).catch(() => undefined);
process.exitCode = answer?.ok ? 0 : 1;
