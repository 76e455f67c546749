/** A federation that changes while it runs: enrolment with its forgeries, keys that are replaced, members that leave. */
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { canonicalBytes } from '#libs/bytes';
import { cellAt, disk, domainFromCells, formatDomainFile } from '#libs/grid';
import {
  createBoxKey,
  createSigningKey,
  loadBoxKey,
  loadSigningKey,
  type SigningKey,
  verifySignature,
} from '#libs/keystore';
import { readControl, SignedClient } from '#libs/nest-kit';
import {
  type Enrolment,
  type EnrolmentPost,
  enrolmentWords,
  type Manifest,
  type ManifestAgency,
  manifestHash,
  parseToken,
  type SignedManifest,
  seal,
  sealRotation,
} from '#libs/protocol';
import { CATEGORIES } from '#libs/query';
import { Federation, streetFile } from '#libs/testing';

const COORDINATOR = 'coordinator';
const ALPHA = 'alpha-police';
const BETA = 'beta-police';
const bristol = cellAt(51.4545, -2.5879, 9);
const bath = cellAt(51.3811, -2.359, 9);
const QUESTION = { categories: ['robbery'], periods: ['2024-01'] } as const;

let federation: Federation;
const betaDomain = domainFromCells('test/beta', disk(bath, 1));
beforeAll(async () => {
  federation = await Federation.open({
    agencies: [
      {
        id: ALPHA,
        domain: domainFromCells('test/alpha', disk(bristol, 1)),
        files: { 'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell: bristol }]) },
      },
    ],
    roundDeadlineSeconds: 120,
  });
});
afterAll(() => federation?.close());

/** As `concordat coordinator` does while the coordinator runs. */
async function operate(operation: string, body: object = {}): Promise<Record<string, unknown>> {
  const control = readControl(join(federation.folder(COORDINATOR), 'control.json'));
  const response = await fetch(new URL(`/v1/operations/${operation}`, federation.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${control?.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, unknown>;
}
const published = async (): Promise<Manifest> => {
  const response = await fetch(new URL('/v1/manifest', federation.url));
  return (JSON.parse(await response.text()) as SignedManifest).payload;
};
const until = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
};
const serialOf = (process: string): number => {
  const file = JSON.parse(readFileSync(join(federation.folder(process), 'manifest.json'), 'utf8'));
  return file.founding ? file.founding.payload.serial + file.steps.length : file.payload.serial;
};

const keys = (name: string): { key: SigningKey; boxKey: string } => ({
  key: createSigningKey(join(federation.dir, `${name}.pem`)),
  boxKey: createBoxKey(join(federation.dir, `${name}.box.pem`)).publicKey,
});
const member = (id: string, { key, boxKey }: ReturnType<typeof keys>): ManifestAgency => ({
  id,
  name: id,
  kind: 'police',
  publicKey: key.publicKey,
  boxKey,
  domain: betaDomain.hash,
  categories: [...CATEGORIES],
});
const issue = async (agency: string, hours = 24): Promise<string> =>
  String((await operate('token', { agency, hours })).token);
/** Sends an enrolment and says what came of it. */
async function enrol(given: {
  token: string;
  agency: ManifestAgency;
  key: SigningKey;
  sender?: string;
  domain?: string;
  coordinator?: string;
}): Promise<string> {
  const token = parseToken(given.token);
  const { agency, key, sender = agency.id, domain = formatDomainFile(betaDomain) } = given;
  const server = federation.manifest.coordinator.publicKey;
  const enrolment: Enrolment = {
    version: 1,
    agency,
    coordinator: given.coordinator ?? server,
    at: new Date(federation.nowMs).toISOString(),
  };
  const post: EnrolmentPost = {
    version: 1,
    token: token?.secret ?? '',
    enrolment: seal('enrolment', enrolment, key),
    domain,
  };
  const client = new SignedClient({
    url: federation.url,
    id: sender,
    key,
    server: () => server,
    verify: verifySignature,
    nowMs: () => federation.nowMs,
  });
  return client.send('POST', '/v1/enrolments', canonicalBytes(post), 'application/json').then(
    () => 'received',
    (error: { code?: string }) => String(error.code),
  );
}

it('refuses every enrolment that is not the one its token was issued for, and logs it', async () => {
  const beta = keys('beta');
  const other = keys('other');
  const agency = member(BETA, beta);
  const token = await issue(BETA);
  const unknown = token.replace(/[0-9a-f]{32}$/, randomBytes(16).toString('hex'));
  const attempts: [string, Parameters<typeof enrol>[0]][] = [
    ['bad-token', { token: unknown, agency, key: beta.key }],
    ['token-of-another', { token, agency: member('gamma-police', beta), key: beta.key }],
    ['wrong-signer', { token, agency, key: other.key }],
    ['bad-request-signature', { token, agency, key: beta.key, sender: ALPHA }],
    ['wrong-coordinator', { token, agency, key: beta.key, coordinator: other.key.publicKey }],
    ['wrong-domain', { token, agency, key: beta.key, domain: '8928308280fffff\n' }],
  ];
  for (const [code, attempt] of attempts) {
    const came = await enrol(attempt);
    // a request signed by a key that the enrolment does not name is no request of that agency
    expect(code === 'wrong-signer' ? 'bad-request-signature' : code).toBe(came);
  }
  const old = await issue(BETA, 1);
  federation.nowMs += 2 * 3_600_000;
  expect(await enrol({ token: old, agency, key: beta.key })).toBe('token-expired');
  expect(await operate('token', { agency: ALPHA, hours: 24 })).toMatchObject({ code: 'id-taken' });
  expect((await published()).serial).toBe(1);

  expect(await enrol({ token, agency, key: beta.key })).toBe('received');
  expect(await enrol({ token, agency, key: beta.key })).toBe('received');
  expect(await enrol({ token, agency: member(BETA, other), key: other.key })).toBe('token-used');

  const words = enrolmentWords(federation.manifest.coordinator.publicKey, agency).join(' ');
  expect(await operate('enrolments')).toMatchObject({ enrolments: [{ agency: BETA, words }] });
  const wrong = words.split(' ').reverse().join(' ');
  expect(await operate('confirm', { agency: BETA, words: wrong, witness: true })).toMatchObject({
    code: 'words-mismatch',
  });
  expect(await operate('decline', { agency: BETA, reason: 'wrong words' })).toEqual({
    agency: BETA,
  });
  expect(await operate('confirm', { agency: BETA, words, witness: true })).toMatchObject({
    code: 'no-such-enrolment',
  });
  expect((await published()).serial).toBe(1);
});

it('takes a new agency into a running federation', async () => {
  // A folder as `node init` makes it, of the first agency's with keys, id and area of its own.
  const beta = keys('beta-2');
  const agency = member(BETA, beta);
  const token = await issue(BETA);
  expect(await enrol({ token, agency, key: beta.key })).toBe('received');
  const words = enrolmentWords(federation.manifest.coordinator.publicKey, agency).join(' ');
  expect(await operate('confirm', { agency: BETA, words, witness: true })).toMatchObject({
    serial: 2,
  });
  await until(() => serialOf(ALPHA) === 2 && serialOf('auditor') === 2);
  const manifest = await published();
  expect(manifest.agencies.map(({ id }) => id)).toEqual([ALPHA, BETA]);
  expect(manifest.witnesses).toContain(BETA);
  const file = join(federation.folder(COORDINATOR), 'domains', `${betaDomain.hash}.txt.gz`);
  expect(gunzipSync(readFileSync(file)).toString('utf8')).toBe(formatDomainFile(betaDomain));
  const { round } = await federation.ask({ ...QUESTION, agencies: [ALPHA] });
  expect(round.phase).toBe('released');
});

it('names key-holders while it runs, and refuses what are none', async () => {
  const name = (...holders: string[]) => operate('name-key-holders', { holders });
  expect(await name(ALPHA, BETA, ALPHA)).toMatchObject({ code: 'malformed-message' });
  expect(await name(ALPHA, BETA)).toMatchObject({ code: 'malformed-message' });
  expect(await name(ALPHA, BETA, 'gamma-police')).toMatchObject({ code: 'bad-manifest' });
  expect(await name(ALPHA, BETA, COORDINATOR)).toMatchObject({ code: 'bad-manifest' });
  expect((await published()).serial).toBe(2);
  expect(await name('auditor', ALPHA, BETA)).toMatchObject({ serial: 3 });
  await until(() => serialOf(ALPHA) === 3 && serialOf('auditor') === 3);
  expect((await published()).keyHolders).toEqual(['auditor', ALPHA, BETA]);
  expect((await published()).change).toEqual({
    kind: 'key-holders-named',
    holders: ['auditor', ALPHA, BETA],
  });
});

it('lets a round end under the manifest it was opened under', async () => {
  await federation.stop(ALPHA);
  const opened = new Promise<string>((resolve, reject) => {
    federation
      .ask({ ...QUESTION, rho: '1/16', agencies: [ALPHA] }, resolve)
      .then(({ round, header }) => {
        ended.push({ phase: round.phase, manifest: header?.manifest });
      }, reject);
  });
  const ended: { phase: string; manifest: string | undefined }[] = [];
  await opened;
  const before = manifestHash(await published());
  const card = createSigningKey(join(federation.dir, 'second.pem'));
  const analyst = { id: 'second-analyst', publicKey: card.publicKey, roles: ['national-analyst'] };
  expect(await operate('analyst-add', { analyst })).toMatchObject({ serial: 4 });
  await federation.startNode(ALPHA);
  await until(() => ended.length === 1);
  expect(ended[0]).toEqual({ phase: 'released', manifest: before });
});

it('goes on over changed keys of a node and of the coordinator', async () => {
  const pem = join(federation.folder(ALPHA), 'keys', 'signing.pem');
  const old = loadSigningKey(pem);
  const control = readControl(join(federation.folder(ALPHA), 'control.json'));
  const turned = await fetch(new URL('/v1/rotate-key', control?.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${control?.token}` },
  });
  expect(turned.status).toBe(200);
  const fresh = loadSigningKey(pem);
  expect(fresh.publicKey).not.toBe(old.publicKey);
  expect((await published()).agencies[0]?.publicKey).toBe(fresh.publicKey);
  expect(existsSync(join(federation.folder(ALPHA), 'keys', 'signing.next.pem'))).toBe(false);

  const before = (await published()).coordinator.publicKey;
  const answer = await operate('rotate-key');
  expect(answer.publicKey).not.toBe(before);
  await until(() => serialOf(ALPHA) === 6 && serialOf('auditor') === 6);

  const { round } = await federation.ask({ ...QUESTION, rho: '1/32', agencies: [ALPHA] });
  expect(round.phase).toBe('released');
  // what the old key signs is nobody's word any more
  const rotation = sealRotation(
    {
      version: 1,
      process: ALPHA,
      oldKey: old.publicKey,
      newKey: createSigningKey(join(federation.dir, 'stolen.pem')).publicKey,
      newBoxKey: loadBoxKey(join(federation.folder(ALPHA), 'keys', 'box.pem')).publicKey,
      manifest: manifestHash(await published()),
      at: new Date(federation.nowMs).toISOString(),
    },
    old,
    old,
  );
  const thief = new SignedClient({
    url: federation.url,
    id: ALPHA,
    key: old,
    server: () => String(answer.publicKey),
    verify: verifySignature,
    nowMs: () => federation.nowMs,
  });
  await expect(
    thief.send('POST', '/v1/rotations', canonicalBytes(rotation), 'application/json'),
  ).rejects.toMatchObject({ code: 'bad-request-signature' });
});

it('starts again under the manifests that were published', async () => {
  const removal = { analyst: 'second-analyst', reason: 'moved on' };
  expect(await operate('analyst-remove', removal)).toMatchObject({ serial: 7 });
  await until(() => serialOf(ALPHA) === 7 && serialOf('auditor') === 7);
  await federation.stop(ALPHA);
  await federation.stop('auditor');
  await federation.stop(COORDINATOR);
  // a crash after the log and before manifest.json: the log has the step
  const path = join(federation.folder(COORDINATOR), 'manifest.json');
  const whole = readFileSync(path, 'utf8');
  const { founding, steps } = JSON.parse(whole) as { founding: object; steps: object[] };
  copyFileSync(path, `${path}.whole`);
  writeFileSync(path, JSON.stringify({ version: 1, founding, steps: steps.slice(0, -1) }));
  await federation.startCoordinator();
  expect(readFileSync(path, 'utf8')).toBe(whole);
  await federation.startAuditor();
  await federation.startNode(ALPHA);
  const { round } = await federation.ask({ ...QUESTION, rho: '1/64', agencies: [ALPHA] });
  expect(round.phase).toBe('released');
});

it('hears a revoked agency no more', async () => {
  expect(await operate('revoke', { agency: ALPHA, reason: 'key lost' })).toMatchObject({
    serial: 8,
  });
  await until(() => serialOf(ALPHA) === 8);
  await expect(federation.ask({ ...QUESTION, agencies: [ALPHA] })).rejects.toMatchObject({
    code: 'unknown-agency',
  });
  await federation.stop(ALPHA);
  await expect(federation.startNode(ALPHA)).rejects.toMatchObject({ code: 'revoked' });

  await federation.stop(COORDINATOR);
  const kinds = (await federation.entries(COORDINATOR)).map(({ kind }) => kind);
  const count = (kind: string): number => kinds.filter((one) => one === kind).length;
  expect(count('manifest.published')).toBe(7);
  expect(count('enrol')).toBe(1);
  expect(count('agency.revoked')).toBe(1);
  expect(count('key.rotated')).toBe(1);
  expect(count('token.issued')).toBe(3);
  expect(kinds).toContain('requests.refused');
});
