/**
 * A real OpenID provider (oidc-provider) in a process of its own, for tests and for trying out signing in on one machine: on loopback only. Whoever
 * `login_hint` names is signed in without a password; groups come with the account.
 *
 *   node tools/identity-provider.mjs [port] [account=group,group]...
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const HOST = '127.0.0.1';
const [port = '0', ...accounts] = process.argv.slice(2);
const groupsOf = new Map(
  accounts.map((text) => {
    const [name = '', groups = ''] = text.split('=');
    return [name, groups.split(',').filter(Boolean)];
  }),
);

const jwk = (kind, options, alg) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }),
  kid: randomBytes(8).toString('hex'),
  alg,
  use: 'sig',
});

const server = createServer();
await new Promise((resolve) => server.listen(Number(port), HOST, resolve));
const issuer = `http://${HOST}:${server.address().port}`;

const provider = new Provider(issuer, {
  jwks: {
    keys: [
      jwk('rsa', { modulusLength: 2048 }, 'RS256'),
      jwk('ec', { namedCurve: 'P-256' }, 'ES256'),
    ],
  },
  clients: [
    {
      client_id: 'concordat',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: [`http://${HOST}/callback`, `http://${HOST}/v1/session/callback`],
    },
  ],
  cookies: { keys: [randomBytes(16).toString('hex')] },
  claims: { openid: ['sub'], groups: ['groups'] },
  scopes: ['openid', 'groups'],
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  findAccount: (_context, id) =>
    groupsOf.has(id)
      ? { accountId: id, claims: () => ({ sub: id, groups: groupsOf.get(id) }) }
      : undefined,
  // nobody is asked for consent
  loadExistingGrant: async ({ oidc }) => {
    const grant = new oidc.provider.Grant({
      clientId: oidc.client.clientId,
      accountId: oidc.session.accountId,
    });
    grant.addOIDCScope('openid groups');
    await grant.save();
    return grant;
  },
  ttl: { IdToken: 3600, Session: 3600, Interaction: 600, Grant: 3600, AuthorizationCode: 60 },
});

const callback = provider.callback();
server.on('request', async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return callback(request, response);
  try {
    const { params } = await provider.interactionDetails(request, response);
    const known = groupsOf.has(params.login_hint);
    await provider.interactionFinished(
      request,
      response,
      known ? { login: { accountId: params.login_hint }, consent: {} } : { error: 'access_denied' },
      { mergeWithLastSubmission: false },
    );
  } catch {
    response.writeHead(400).end();
  }
});
process.once('disconnect', () => process.exit());
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit());
process.stdout.write(`${issuer}\n`);
process.send?.({ type: 'ready', url: issuer });
