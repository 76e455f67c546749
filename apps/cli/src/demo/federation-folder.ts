/** Folders of a demo federation: keys and settings of every process, the signed manifest, the agencies' public domains. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { stringify } from 'yaml';
import { ConcordatError } from '#libs/bytes';
import { type Areas, formatDomainFile } from '#libs/grid';
import { createSigningKey, loadSigningKey, type SigningKey, verifySignature } from '#libs/keystore';
import { foundManifest, type Manifest, openSignedManifest, seal } from '#libs/protocol';
import type { DemoAgency } from './agencies.js';
import { type Children, eachAtOnce } from './children.js';
import { ROOT } from './root.js';
import { beginFolders, finishFolders } from './unfinished.js';

const FEDERATION = 'concordat-demo';
export const ANALYST = 'demo-analyst';
export const COORDINATOR = 'coordinator';
export const AUDITOR = 'auditor';
/** Besides the auditor; more than the quorum, so that a node that is away holds nobody up. */
const WITNESSING_AGENCIES = 6;
/** How many witnesses must have cosigned a log; fewer where there are fewer, since none witnesses its own. */
const QUORUM = 2;
/** A round closes when all have answered; this is for many agencies on a small machine. */
const DEADLINE_SECONDS = '900';

/** A policy for an agency that brings data and no policy of its own: everything the demo asks, nothing more. */
const demoPolicy = (agency: string): string => {
  const text = readFileSync(join(ROOT, 'policies/demo-agency.yaml'), 'utf8');
  return text.replaceAll('demo-agency', agency);
};

/**
 * Makes the folders of all processes under `dir`, or opens those of an earlier run with the same agencies; what an interrupted run left
 * unfinished is made anew. Returns the analyst's key. Throws `dir-of-another-federation`, `dir-not-empty`.
 */
export async function prepareFederation(
  dir: string,
  agencies: readonly DemoAgency[],
  areas: Areas,
  children: Children,
  keyHolders: Manifest['keyHolders'],
  port: number,
): Promise<SigningKey> {
  const analystKey = join(dir, 'analyst', 'signing.pem');
  if (existsSync(join(dir, COORDINATOR, 'manifest.json'))) {
    checkSameFederation(dir, agencies);
    return loadSigningKey(analystKey);
  }
  beginFolders(dir, ['analyst', COORDINATOR, AUDITOR, ...agencies.map(({ id }) => id)]);
  mkdirSync(join(dir, 'analyst'), { recursive: true, mode: 0o700 });
  const analyst = createSigningKey(analystKey);
  const keys = new Map<string, { readonly publicKey: string; readonly boxKey: string }>();
  const init = (name: string, app: 'auditor' | 'coordinator' | 'node', args: readonly string[]) =>
    children.run(name, app, ['init', '--dir', join(dir, name), ...args], (message) => {
      if (message.type !== 'initialised') return;
      keys.set(name, { publicKey: String(message.publicKey), boxKey: String(message.boxKey) });
    });
  const keysOf = (name: string) => {
    const made = keys.get(name);
    if (!made) throw new ConcordatError('child-failed', `${name} did not make its keys`);
    return made;
  };

  await init(COORDINATOR, 'coordinator', ['--deadline', DEADLINE_SECONDS]);
  // processes are told the real address when they start, and the manifest pins keys; the settings are what a doctor reads
  const address = `http://127.0.0.1:${port}/`;
  const pinned = ['--coordinator', address, '--coordinator-key', keysOf(COORDINATOR).publicKey];
  await init(AUDITOR, 'auditor', [...pinned, '--port', '0']);
  await eachAtOnce(agencies, async (agency) => {
    const folder = join(dir, agency.id);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // The node copies these into its own layout; domain and policy already have their final names and stay.
    const domain = join(folder, 'domain.txt.gz');
    const policy = join(folder, 'policy.yaml');
    writeFileSync(domain, gzipSync(formatDomainFile(agency.domain)));
    if (agency.policy === undefined) writeFileSync(policy, demoPolicy(agency.id));
    else copyFileSync(agency.policy, policy);
    await init(agency.id, 'node', [
      ...pinned,
      ...['--agency', agency.id, '--mapping', agency.mapping],
      ...['--domain', domain, '--policy', policy],
      ...['--federation-policy', join(ROOT, 'policies/federation.yaml')],
    ]);
  });

  const coordinatorKey = loadSigningKey(join(dir, COORDINATOR, 'keys', 'signing.pem'));
  const witnesses = [AUDITOR, ...agencies.slice(0, WITNESSING_AGENCIES).map(({ id }) => id)];
  const manifest = foundManifest({
    federation: FEDERATION,
    grid: { name: areas.grid, hash: areas.gridHash },
    coordinator: { id: COORDINATOR, ...keysOf(COORDINATOR) },
    auditor: { id: AUDITOR, ...keysOf(AUDITOR) },
    agencies: agencies.map(({ id, name, kind, domain, categories }) => ({
      id,
      name,
      kind,
      ...keysOf(id),
      domain: domain.hash,
      categories: [...categories],
    })),
    analysts: [
      { id: ANALYST, publicKey: analyst.publicKey, roles: ['national-analyst', 'forecast-owner'] },
    ],
    witnesses,
    quorum: Math.min(QUORUM, witnesses.length - 1),
    ...(keyHolders ? { keyHolders } : {}),
  });
  const signed = `${JSON.stringify(seal('manifest', manifest, coordinatorKey), null, 2)}\n`;
  for (const { id, domain } of agencies) {
    copyFileSync(
      join(dir, id, 'domain.txt.gz'),
      join(dir, COORDINATOR, 'domains', `${domain.hash}.txt.gz`),
    );
    writeFileSync(join(dir, id, 'manifest.json'), signed);
  }
  writeFileSync(join(dir, AUDITOR, 'manifest.json'), signed);
  // Last: its presence says that the federation is complete.
  writeFileSync(join(dir, COORDINATOR, 'manifest.json'), signed);
  finishFolders(dir);
  return analyst;
}

function checkSameFederation(dir: string, agencies: readonly DemoAgency[]): void {
  const key = loadSigningKey(join(dir, COORDINATOR, 'keys', 'signing.pem'));
  const signed: unknown = JSON.parse(readFileSync(join(dir, COORDINATOR, 'manifest.json'), 'utf8'));
  const manifest = openSignedManifest(signed, key.publicKey, verifySignature);
  const describe = (
    list: readonly { id: string; categories: readonly string[] }[],
    hash: (i: number) => string,
  ) => stringify(list.map(({ id, categories }, i) => [id, hash(i), [...categories]]));
  const before = describe(manifest.agencies, (i) => manifest.agencies[i]?.domain ?? '');
  const now = describe(agencies, (i) => agencies[i]?.domain.hash ?? '');
  if (before !== now) {
    throw new ConcordatError(
      'dir-of-another-federation',
      `${dir} holds a federation of other agencies; give an empty folder`,
    );
  }
}
