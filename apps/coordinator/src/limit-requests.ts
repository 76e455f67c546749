import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { limitRequestsBy, networkOf, RequestLimit } from '#libs/nest-kit';
import { processKey } from '#libs/protocol';
import { DEFAULT_LIMITS } from './config.js';
import type { Coordinator } from './coordinator.js';

/** What members of the federation hang on for: never limited, or a node would miss its tasks. */
const LONG_POLLS = new Set([
  '/v1/inbox',
  '/v1/linkage/mail',
  '/v1/manifests',
  '/v1/unmaskings',
  '/v1/witnessing',
]);
/** What whoever runs the process looks at. */
const OPERATIONS = new Set(['/healthz', '/metrics', '/readyz']);

/**
 * Limits what comes in: a member by its name and network, everybody else by network. The name is not proven yet, and so counts only together
 * with the network: who gives the name of another uses up nothing of the other.
 */
export function limitRequests(
  app: NestFastifyApplication,
  { config, federation }: Pick<Coordinator, 'config' | 'federation'>,
): void {
  const limit = (name: 'requestsPerAddress' | 'requestsPerMember'): RequestLimit =>
    new RequestLimit(config.limits?.[name] ?? DEFAULT_LIMITS[name]);
  const addresses = limit('requestsPerAddress');
  const members = limit('requestsPerMember');
  limitRequestsBy(app, async ({ method, path, ip, headers }) => {
    if (OPERATIONS.has(path) || (method === 'GET' && LONG_POLLS.has(path))) return;
    const network = networkOf(ip);
    const input = headers['signature-input'];
    const name =
      typeof input === 'string' ? /;keyid="([a-z0-9-]{1,64})"/.exec(input)?.[1] : undefined;
    const isMember = name !== undefined && processKey(federation.manifest, name) !== undefined;
    await (isMember ? members.take(`${name} ${network}`) : addresses.take(network));
  });
}
