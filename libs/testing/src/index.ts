export {
  auditEpsilonLowerBound,
  chiSquarePValue,
  clopperPearson,
  type EpsilonAudit,
} from './audit.js';
export { eventually } from './eventually.js';
export { FaultProxy, type NetworkFault, type SeenRequest } from './fault-proxy.js';
export { type Asked, Federation, type RoundSeen, type TestQuestion } from './federation.js';
export { malleated, REFUSED_REQUEST, SMALL_ORDER, withInput, withR } from './forgery.js';
export {
  ANALYST,
  AUDITOR,
  COORDINATOR,
  type FederationOptions,
  type TestAgency,
} from './found-federation.js';
export { freePort } from './free-port.js';
export { TestIdentityProvider } from './identity-provider.js';
export { type LinkageOperator, linkageOperator } from './linkage-operator.js';
export { OtlpReceiver } from './otlp-receiver.js';
export { PrivateRedis } from './private-redis.js';
export { childrenOf, isRunning, RunningProgram } from './program.js';
export { type RecordedRequest, RecordingProxy } from './recording-proxy.js';
export { seededRandom } from './seeded-random.js';
export { ServedProcess } from './served-process.js';
export { STREET_COLUMNS, type StreetRow, streetFile } from './street-file.js';
