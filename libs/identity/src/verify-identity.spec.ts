/** ID tokens as a provider makes them, and as somebody makes them who would like to be an analyst. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { analystOfSubject, IdentityProvider, nonceOfKey } from '#libs/protocol';
import { verifyIdentity } from './verify-identity.js';

const ISSUER = 'https://login.example';
const KEY = 'A'.repeat(43);
const AT = Date.UTC(2026, 5, 1, 9);
const seconds = AT / 1000;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });

const publicOf = (key: KeyObject, kid: string) => {
  const { kty, n, e, crv, x, y } = key.export({ format: 'jwk' });
  return JSON.parse(JSON.stringify({ kid, kty, n, e, crv, x, y }));
};
const provider = IdentityProvider.parse({
  issuer: ISSUER,
  clientId: 'concordat',
  scope: 'openid groups',
  keys: [
    publicOf(rsa.publicKey, 'rsa'),
    publicOf(ec.publicKey, 'ec'),
    publicOf(ed.publicKey, 'ed'),
  ],
  rolesClaim: ['realm', 'groups'],
  roles: [
    { claim: 'crime-analysts', role: 'national-analyst' },
    { claim: 'owners', role: 'forecast-owner' },
  ],
});

const CLAIMS = {
  iss: ISSUER,
  aud: 'concordat',
  sub: 'jo',
  iat: seconds - 60,
  exp: seconds + 600,
  nonce: nonceOfKey(KEY),
  realm: { groups: ['crime-analysts', 'golf'] },
};
const token = (
  claims: object = {},
  header: { alg: string; kid?: string } = { alg: 'RS256', kid: 'rsa' },
  key: KeyObject | Uint8Array = rsa.privateKey,
): Promise<string> => new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader(header).sign(key);

const take = (text: string, atMs = AT, publicKey = KEY): Promise<unknown> =>
  verifyIdentity(text, provider, { publicKey, atMs });

describe('an ID token of the provider', () => {
  it.each([
    ['RS256', 'rsa', rsa],
    ['PS256', 'rsa', rsa],
    ['ES256', 'ec', ec],
    ['EdDSA', 'ed', ed],
  ])('is taken when signed with %s', async (alg, kid, { privateKey }) => {
    expect(await take(await token({}, { alg, kid }, privateKey))).toEqual({
      analyst: analystOfSubject(ISSUER, 'jo'),
      roles: ['national-analyst'],
      expiresSeconds: seconds + 600,
    });
  });

  it('says nothing of a person but a hash', async () => {
    const { analyst } = (await take(await token())) as { analyst: string };
    expect(analyst).toMatch(/^oidc-[0-9a-f]{56}$/);
  });

  it('gives no role for a claim that is missing, foreign or of another shape', async () => {
    for (const realm of [
      undefined,
      null,
      'crime-analysts',
      { groups: 7 },
      { groups: [['owners']] },
    ])
      expect(await take(await token({ realm }))).toMatchObject({ roles: [] });
    const inherited = { ...provider, rolesClaim: ['constructor', 'name'] };
    const reading = verifyIdentity(await token(), inherited, { publicKey: KEY, atMs: AT });
    expect(await reading).toMatchObject({ roles: [] });
  });
});

describe('what is not one is refused', () => {
  let forged: [name: string, text: string, code: string][];
  beforeAll(async () => {
    const good = await token();
    const [header, payload, signature] = good.split('.');
    const encode = (value: object): string =>
      Buffer.from(JSON.stringify(value)).toString('base64url');
    const otherKey = nonceOfKey(`B${'A'.repeat(42)}`);
    forged = [
      [
        'a key that the manifest does not name',
        await token({}, undefined, stranger.privateKey),
        'identity-untrusted',
      ],
      ['another key id', await token({}, { alg: 'RS256', kid: 'new' }), 'identity-untrusted'],
      ['no signature', `${encode({ alg: 'none' })}.${payload}.`, 'identity-untrusted'],
      [
        'a changed claim',
        `${header}.${encode({ ...CLAIMS, sub: 'al' })}.${signature}`,
        'identity-untrusted',
      ],
      [
        'the public key as a secret',
        await token(
          {},
          { alg: 'HS256', kid: 'rsa' },
          Buffer.from(rsa.publicKey.export({ format: 'pem', type: 'spki' })),
        ),
        'identity-untrusted',
      ],
      ['another issuer', await token({ iss: 'https://login.example.evil' }), 'identity-untrusted'],
      ['another audience', await token({ aud: 'payroll' }), 'identity-untrusted'],
      [
        'an audience among others',
        await token({ aud: ['concordat', 'payroll'] }),
        'identity-untrusted',
      ],
      ['another authorised party', await token({ azp: 'payroll' }), 'identity-untrusted'],
      ['nobody', await token({ sub: '' }), 'identity-untrusted'],
      ['no expiry', await token({ exp: undefined }), 'identity-untrusted'],
      ['the future', await token({ iat: seconds + 600 }), 'identity-untrusted'],
      ['not yet', await token({ nbf: seconds + 600 }), 'identity-untrusted'],
      ['expired', await token({ exp: seconds - 61 }), 'identity-expired'],
      [
        'a token good for ever',
        await token({ iat: seconds - 13 * 3600, exp: seconds + 1e9 }),
        'identity-expired',
      ],
      ['another key', await token({ nonce: otherKey }), 'identity-of-another'],
      ['no nonce', await token({ nonce: undefined }), 'identity-untrusted'],
      ['rubbish', 'a.b.c', 'identity-untrusted'],
    ];
  });
  it('by its code, whatever it tries', async () => {
    const found = await Promise.all(
      forged.map(async ([name, text]) => {
        const code = await take(text).then(
          () => 'taken',
          (error: { code?: string }) => error.code ?? String(error),
        );
        return `${name}: ${code}`;
      }),
    );
    expect(found).toEqual(forged.map(([name, , code]) => `${name}: ${code}`));
  });
});

describe('a provider that a manifest can name', () => {
  it.each([
    ['http://login.example', false],
    ['https://login.example/realms/police', true],
    ['http://127.0.0.1:9', true],
    ['http://[::1]:9', true],
    ['http://127.0.0.1.evil.example', false],
    ['https://login.example/?tenant=1', false],
    ['ftp://login.example', false],
  ])('%s: %p', (issuer, isFit) => {
    expect(IdentityProvider.safeParse({ ...provider, issuer }).success).toBe(isFit);
  });
});
