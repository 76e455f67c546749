/** Whether the limits of `config.yaml` let a federation of this size work, and hold anybody else back. */
import { type Finding, ok, warn } from '#libs/doctor';
import { isLoopbackHost, type Manifest } from '#libs/protocol';
import { type CoordinatorConfig, DEFAULT_LIMITS } from './config.js';

const CHECK = 'limits';
/** What a node posts in a busy minute besides witnessing: offers, uploads, answers and checkpoints of a dozen rounds. */
const BUSY_MINUTE = 120;
/** Letters of witnessing to and from every other log, in a minute in which each of them grows. */
const PER_LOG = 4;

/** Compares what is set, or its defaults, with each other and with the members of the manifest. */
export function checkLimits(config: CoordinatorConfig, manifest: Manifest): Finding {
  const {
    requestsPerAddress = DEFAULT_LIMITS.requestsPerAddress,
    requestsPerMember = DEFAULT_LIMITS.requestsPerMember,
    questionsPerAnalyst = DEFAULT_LIMITS.questionsPerAnalyst,
  } = config.limits ?? {};
  const least = BUSY_MINUTE + PER_LOG * (manifest.agencies.length + 2);
  const a = `a minute: ${requestsPerAddress} requests by address, ${requestsPerMember} by member, ${questionsPerAnalyst} questions by analyst`;
  if (requestsPerMember < least)
    return warn(
      CHECK,
      `requestsPerMember ${requestsPerMember} holds back nodes at work: ${least} a minute are ordinary here`,
      `raise limits.requestsPerMember to ${least} or more, or leave it out`,
    );
  if (requestsPerAddress < requestsPerMember)
    return warn(
      CHECK,
      'requestsPerAddress is below requestsPerMember, which is then never reached',
      'raise limits.requestsPerAddress, or leave both out',
    );
  if (questionsPerAnalyst > requestsPerAddress)
    return warn(
      CHECK,
      'questionsPerAnalyst is above requestsPerAddress: one analyst may ask as much as a whole network',
      'lower limits.questionsPerAnalyst, or leave it out',
    );
  const isBehindProxy = isLoopbackHost(config.listen.host) && !config.trustedProxies;
  return ok(CHECK, isBehindProxy ? `${a}; behind a reverse proxy, name it in trustedProxies` : a);
}
