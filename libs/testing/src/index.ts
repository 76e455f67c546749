export {
  auditEpsilonLowerBound,
  chiSquarePValue,
  clopperPearson,
  type EpsilonAudit,
} from './audit.js';
export { seededRandom } from './seeded-random.js';
