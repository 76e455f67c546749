/** Signing in at a real OpenID provider (oidc-provider, its own process) and asking with it, as a person does; and every forgery of it. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { parse, stringify } from 'yaml';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { loadSigningKey, type SigningKey } from '#libs/keystore';
import { analystOfSubject, nonceOfKey, type SignedTask, seal, type Task } from '#libs/protocol';
import { sessionAnalyst } from '../../../apps/cli/src/session/session-file.js';
import { discoverProvider } from '../../../apps/coordinator/src/federation/identity-provider.js';
import { operateInFolder } from '../../../apps/coordinator/src/federation/operate-in-folder.js';
import { answerQuery } from '../../../apps/node/src/answer-query.js';
import type { Node } from '../../../apps/node/src/node.js';
import { openNode } from '../../../apps/node/src/open-node.js';
import { Federation, RunningProgram, streetFile, TestIdentityProvider } from './index.js';

const AGENCY = 'alpha-police';
const bristol = cellAt(51.4545, -2.5879, 9);
const question = { categories: ['robbery'], periods: ['2024-01'], resolution: 7 } as const;

let provider: TestIdentityProvider;
let federation: Federation;
let env: Record<string, string>;
const untilSerial = async (serial: number): Promise<void> => {
  while (
    JSON.parse(readFileSync(join(federation.folder(AGENCY), 'manifest.json'), 'utf8')).steps
      ?.length !==
    serial - 1
  )
    await new Promise((resolve) => setTimeout(resolve, 50));
};

beforeAll(async () => {
  provider = await TestIdentityProvider.start({ alice: ['crime-analysts'], bob: ['golf'] });
  federation = await Federation.open({
    agencies: [
      {
        id: AGENCY,
        domain: domainFromCells('test/alpha', disk(bristol, 2)),
        files: { 'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell: bristol }]) },
      },
    ],
  });
  federation.nowMs = Date.now();
  env = { CONCORDAT_SESSION: join(federation.dir, 'session') };
  const named = await discoverProvider({
    issuer: provider.url,
    clientId: 'concordat',
    scope: 'openid groups',
    rolesClaim: ['groups'],
    roles: [{ claim: 'crime-analysts', role: 'national-analyst' }],
  });
  await operateInFolder(
    federation.folder('coordinator'),
    { operation: 'identity-provider', provider: named, reason: 'test' },
    () => federation.nowMs,
  );
  await untilSerial(2);
});
afterAll(async () => {
  await federation?.close();
  await provider?.stop();
});

const run = (...args: string[]): RunningProgram =>
  new RunningProgram(args, 'bin/concordat.mjs', env);

async function login(account: string): Promise<RunningProgram> {
  const program = run('login', '--url', federation.url, '--issuer', provider.url, '--json');
  await program.until(({ stderr }) => /\nhttp\S+\n/.test(stderr));
  const address = /\n(http\S+)\n/.exec(program.stderr)?.[1] ?? '';
  const back = await provider.signIn(new URL(address), account);
  // somebody on this machine who guesses the port, but not the state
  const guessed = new URL(back);
  guessed.searchParams.set('state', 'guessed');
  expect((await fetch(guessed)).status).toBe(400);
  expect((await fetch(back)).status).toBe(200);
  await program.ended;
  return program;
}

const query = (resolution = '7'): RunningProgram =>
  run(
    ...['query', '--url', federation.url, '--categories', 'robbery', '--from', '2024-01'],
    ...['--to', '2024-01', '--resolution', resolution, '--json'],
  );

describe('an analyst who signs in', () => {
  it('gets a session of their own, asks with it, and ends it', async () => {
    const program = await login('alice');
    const analyst = analystOfSubject(provider.url, 'alice');
    expect(JSON.parse(program.stdout)).toMatchObject({ analyst, roles: ['national-analyst'] });
    for (const name of readdirSync(env.CONCORDAT_SESSION ?? '')) {
      expect(statSync(join(env.CONCORDAT_SESSION ?? '', name)).mode & 0o077).toBe(0);
    }
    const who = run('whoami', '--json');
    expect(await who.ended).toMatchObject({ code: 0 });
    expect(JSON.parse(who.stdout)).toMatchObject({ analyst });

    federation.nowMs = Date.now();
    const asking = query();
    expect(await asking.ended).toMatchObject({ code: 0 });
    expect(JSON.parse(asking.stdout).phase).toBe('released');
    const spent = (await federation.entries(AGENCY)).filter(
      ({ kind }) => kind === 'budget.reserved',
    );
    expect(spent).toMatchObject([{ analyst }]);

    const out = run('logout');
    expect(await out.ended).toMatchObject({ code: 0 });
    expect(readdirSync(env.CONCORDAT_SESSION ?? '')).toEqual([]);
    const again = run('whoami');
    expect(await again.ended).toMatchObject({ code: 1 });
    expect(again.stderr).toContain('[not-signed-in]');
  });

  it('has no role that the federation does not know, and is granted nothing', async () => {
    const program = await login('bob');
    expect(JSON.parse(program.stdout)).toMatchObject({ roles: [] });
    federation.nowMs = Date.now();
    const asking = query('6');
    expect(await asking.ended).toMatchObject({ code: 1 });
    expect(asking.stdout + asking.stderr).toContain('alpha-police roles');
  });

  it('is told when the federation signs in elsewhere, or the provider does not know them', async () => {
    const program = run('login', '--url', federation.url, '--issuer', 'https://login.example');
    expect(await program.ended).toMatchObject({ code: 1 });
    expect(program.stderr).toContain('[wrong-issuer]');
    const refused = await login('mallory');
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'sign-in-failed' } });
    expect(refused.stderr).not.toContain('    at ');
  });
});

describe('a coordinator that makes up an analyst', () => {
  let node: Node;
  let alice: { id: string; key: SigningKey; identity: string };
  let coordinatorKey: SigningKey;
  beforeAll(async () => {
    await login('alice');
    federation.nowMs = Date.now();
    alice = sessionAnalyst(env.CONCORDAT_SESSION ?? '', federation.nowMs);
    coordinatorKey = loadSigningKey(join(federation.folder('coordinator'), 'keys', 'signing.pem'));
    await federation.stop(AGENCY);
    node = await openNode(federation.folder(AGENCY), { nowMs: () => federation.nowMs });
  });
  afterAll(() => node?.close());

  /** A task for which everything is right but what `change` makes of the assertion; the coordinator signs what it likes. */
  const task = (change: object, key: SigningKey): SignedTask['payload'] => {
    const honest: Task = federation.taskFor(AGENCY, question);
    const payload = {
      ...honest.assertion.payload,
      ...{ analyst: alice.id, identity: alice.identity, manifest: node.manifestHash },
      ...change,
    };
    return { ...honest, manifest: node.manifestHash, assertion: seal('assertion', payload, key) };
  };
  const codeOf = async (asked: Task, at: Node = node): Promise<string> => {
    const outcome = await answerQuery(asked, at);
    return outcome.status === 'refused' ? outcome.refused.code : outcome.status;
  };
  const tokenOf = (key: SigningKey, claims: object = {}): Promise<string> =>
    new SignJWT({
      ...{ iss: provider.url, aud: 'concordat', sub: 'alice', groups: ['crime-analysts'] },
      ...{ nonce: nonceOfKey(key.publicKey), ...claims },
    })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(Buffer.from(coordinatorKey.publicKeyBytes));

  it('is refused by the node, and by nothing else than the forgery', async () => {
    expect(await codeOf(task({}, alice.key))).toBe('answered');
    // her token, another's key
    expect(await codeOf(task({}, coordinatorKey))).toBe('identity-of-another');
    // a token that the coordinator made
    const forged = await tokenOf(coordinatorKey);
    expect(await codeOf(task({ identity: forged }, coordinatorKey))).toBe('identity-untrusted');
    // her id without her token
    expect(await codeOf(task({ identity: undefined }, coordinatorKey))).toBe('unknown-analyst');
    // her token for another id
    const other = { analyst: analystOfSubject(provider.url, 'bob') };
    expect(await codeOf(task(other, alice.key))).toBe('wrong-analyst');
    // her assertion, kept until the token has long expired and dated anew
    const late = { at: new Date(Date.now() + 2 * 3_600_000).toISOString() };
    expect(await codeOf(task(late, alice.key))).toBe('identity-expired');
    // her assertion of another question
    const { assertion } = task({}, alice.key);
    const asked = federation.taskFor(AGENCY, { ...question, resolution: 8 });
    expect(await codeOf({ ...asked, manifest: node.manifestHash, assertion })).toBe(
      'wrong-assertion',
    );
  });

  it('cannot name analysts or another provider to a node that pinned one', async () => {
    const path = join(federation.folder(AGENCY), 'config.yaml');
    const config = parse(readFileSync(path, 'utf8'));
    const pin = async (digest: string): Promise<void> => {
      await node.close();
      writeFileSync(path, stringify({ ...config, identityProvider: digest }));
      node = await openNode(federation.folder(AGENCY), { nowMs: () => federation.nowMs });
    };
    const show = run(
      ...['coordinator', 'identity-provider', 'show', '--json'],
      ...['--dir', federation.folder('coordinator')],
    );
    await show.ended;
    await pin(JSON.parse(show.stdout).digest);
    expect(await codeOf(task({}, alice.key))).toBe('answered');
    const byKey = federation.taskFor(AGENCY, { ...question, resolution: 6 });
    const { payload } = byKey.assertion;
    const manifest = node.manifestHash;
    const assertion = seal('assertion', { ...payload, manifest }, federation.analystKey);
    expect(await codeOf({ ...byKey, manifest, assertion })).toBe('identity-required');
    await pin('0'.repeat(64));
    expect(await codeOf(task({}, alice.key))).toBe('identity-provider-not-pinned');
  });
});

describe('a provider on the same machine', () => {
  it('is refused by a coordinator that others can reach, and at its start', async () => {
    await federation.stop('coordinator');
    const path = join(federation.folder('coordinator'), 'config.yaml');
    const config = parse(readFileSync(path, 'utf8'));
    writeFileSync(path, stringify({ ...config, listen: { host: '0.0.0.0', port: 0 } }));
    await expect(federation.startCoordinator()).rejects.toMatchObject({
      code: 'demo-identity-exposed',
    });
    writeFileSync(path, stringify(config));
  });
});
