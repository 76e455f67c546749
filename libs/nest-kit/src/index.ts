export { askRunning, isServed } from './ask-running.js';
export { clientLeft } from './client-left.js';
export { readConfig } from './config.js';
export {
  holdsToken,
  loopbackOf,
  newToken,
  readControl,
  removeControl,
  writeControl,
} from './control-file.js';
export { lastEventId, type ServerSentEvent, sendEvents } from './event-stream.js';
export { createHttpApp, listen } from './http-app.js';
export { createLogger, type Logger } from './logger.js';
export {
  fetchManifest,
  type ManifestFollower,
  startManifestFollower,
  whileUnreachable,
} from './manifest-follower.js';
export { Metrics } from './metrics.js';
export { notePoster } from './note-poster.js';
export { type Operations, type ReadyCheck, serveOperations } from './operations.js';
export {
  type ProcessMessage,
  type RunningProcess,
  runProcess,
  runProgram,
  stopInOrder,
  tellParent,
} from './process.js';
export { PublishedLogController, publishedLog } from './published-log.js';
export { type RefusalCounts, RefusedRequests } from './refused-requests.js';
export { limitRequestsBy, networkOf, RequestLimit } from './request-limits.js';
export { RotateKeysController, TURN_KEYS, type TurnKeys } from './rotate-keys.controller.js';
export { registerRotateKeys } from './rotate-keys-command.js';
export { RequestRefused, SignedClient } from './signed-client.js';
export { RequestVerifier, type SignedFastifyRequest } from './signed-request.js';
export { timeLimit } from './time-limit.js';
export { inLayer, inRound, startTracing, traceRound, traceStep } from './tracing.js';
export { uploadVector } from './vector-upload.js';
export { relayOver, startWitnessLoop, type WitnessRelay } from './witness-loop.js';
