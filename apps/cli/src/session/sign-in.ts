/**
 * Signing in from a terminal: OpenID Connect's code flow with PKCE (RFC 7636) and a redirect to loopback (RFC 8252, section 7.3). The ID token's
 * nonce is the hash of the session's key, so that it speaks for this key and no other.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  discovery,
  None,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import { ConcordatError } from '#libs/bytes';
import { type IdentityProvider, isDemoProvider, nonceOfKey } from '#libs/protocol';

const CALLBACK = '/callback';
const TIMEOUT_SECONDS = 20;

const failed = (why: string, cause?: unknown): ConcordatError =>
  new ConcordatError('sign-in-failed', why, { cause });

function say(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      connection: 'close',
    })
    .end(`${text}\n`);
}

/** Waits on loopback for the browser to come back; `use` is given the redirect address first. */
async function withCallback<T>(
  use: (redirectUri: string, callback: Promise<URL>) => Promise<T>,
  state: string,
  signal: AbortSignal,
): Promise<T> {
  let arrive: (url: URL) => void = () => {};
  let fail: (cause: unknown) => void = () => {};
  const callback = new Promise<URL>((resolve, reject) => {
    arrive = resolve;
    fail = reject;
  });
  callback.catch(() => undefined);
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host ?? '127.0.0.1'}`);
    if (request.method !== 'GET' || url.pathname !== CALLBACK)
      return say(response, 404, 'Nothing here.');
    // somebody else's redirect: the one that was asked for may still come
    if (url.searchParams.get('state') !== state) return say(response, 400, 'Not of this sign-in.');
    say(response, 200, 'Go back to the terminal: you may close this page.');
    arrive(url);
  });
  signal.addEventListener('abort', () =>
    fail(failed('nobody signed in in time; run: concordat login')),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    const { port } = server.address() as AddressInfo;
    return await use(`http://127.0.0.1:${port}${CALLBACK}`, callback);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/**
 * The ID token of whoever signs in at the address that `show` is given, for the holder of `publicKey`. Throws `sign-in-failed`,
 * `identity-provider-unreachable`.
 */
export async function signIn(
  provider: Pick<IdentityProvider, 'clientId' | 'issuer' | 'scope'>,
  publicKey: string,
  options: { readonly show: (url: URL) => void; readonly signal: AbortSignal },
): Promise<string> {
  const config = await discovery(new URL(provider.issuer), provider.clientId, undefined, None(), {
    timeout: TIMEOUT_SECONDS,
    ...(isDemoProvider(provider) ? { execute: [allowInsecureRequests] } : {}),
  }).catch((cause: unknown) => {
    throw new ConcordatError(
      'identity-provider-unreachable',
      `${provider.issuer} does not answer as an OpenID provider`,
      { cause },
    );
  });
  const state = randomState();
  const verifier = randomPKCECodeVerifier();
  const nonce = nonceOfKey(publicKey);
  const challenge = await calculatePKCECodeChallenge(verifier);
  return withCallback(
    async (redirectUri, callback) => {
      options.show(
        buildAuthorizationUrl(config, {
          redirect_uri: redirectUri,
          scope: provider.scope,
          code_challenge: challenge,
          code_challenge_method: 'S256',
          state,
          nonce,
        }),
      );
      const arrived = await callback;
      const tokens = await authorizationCodeGrant(config, arrived, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      }).catch((cause: unknown) => {
        const said = arrived.searchParams.get('error');
        throw failed(
          said === null
            ? 'the provider gave no ID token; ask its operator what it logged'
            : `the provider refused: ${said.replaceAll(/[^\w-]/g, '').slice(0, 60)}`,
          cause,
        );
      });
      return tokens.id_token ?? '';
    },
    state,
    options.signal,
  );
}
