/** Founds a federation for a test: the folder of every process as its operator would make it, and the signed manifest. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Domain, formatDomainFile, unionDomains } from '#libs/grid';
import { loadSigningKey } from '#libs/keystore';
import { foundManifest, type Manifest, seal } from '#libs/protocol';
import { CATEGORIES, type Category } from '#libs/query';
import type { Apps } from './load-apps.js';
import { policyText, type TestHold, type TestLimits } from './test-policy.js';

/** Nodes are told the real address when they start. */
const ANY_URL = 'http://127.0.0.1/';

export const COORDINATOR = 'coordinator';
export const AUDITOR = 'auditor';
export const ANALYST = 'test-analyst';

export interface TestAgency {
  readonly id: string;
  readonly domain: Domain;
  /** Every common category when left out. */
  readonly categories?: readonly Category[];
  /** Record files by name, of any kind that a bundled mapping recognises. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** CSV of the people that linkage may label. */
  readonly people?: string;
  /** Every question waits for people at this agency; answered automatically when left out. */
  readonly hold?: TestHold;
}

export interface FederationOptions {
  readonly agencies: readonly TestAgency[];
  readonly seed?: string;
  /** Limits that every agency and the federation's floor share; rho as exact rationals. */
  readonly limits?: TestLimits;
  readonly roundDeadlineSeconds?: number;
  /** Of the witnesses, which are the auditor and every agency. 0: they cosign, and nobody waits for them. */
  readonly quorum?: number;
  /** Where the coordinator's jobs wait for workers, which the test starts. */
  readonly redisUrl?: string;
  readonly keyHolders?: Manifest['keyHolders'];
  /** False: folders are made and files taken in, but no process is started. */
  readonly serve?: boolean;
}

/** Makes every folder and the signed manifest. */
export async function foundFederation(
  apps: Apps,
  dir: string,
  analystPublicKey: string,
  { agencies, limits = {}, roundDeadlineSeconds = 30, quorum = 0, keyHolders }: FederationOptions,
): Promise<Manifest> {
  const listen = { host: '127.0.0.1', port: 0 };
  const folder = (id: string): string => join(dir, id);
  const coordinatorKeys = await apps.initCoordinator(folder(COORDINATOR), {
    version: 1,
    id: COORDINATOR,
    listen,
    roundDeadlineSeconds,
  });
  const coordinator = { url: ANY_URL, publicKey: coordinatorKeys.publicKey };
  const auditorKeys = await apps.initAuditor(folder(AUDITOR), {
    version: 1,
    id: AUDITOR,
    coordinator,
    listen,
  });
  const sources = folder('sources');
  await mkdir(sources);
  await writeFile(
    join(sources, 'federation.yaml'),
    policyText(join(apps.policies, 'federation.yaml'), limits),
  );
  const enrolled: Manifest['agencies'] = [];
  for (const { id, domain, categories = CATEGORIES, hold } of agencies) {
    const policy = join(sources, `${id}.yaml`);
    const domainFile = join(sources, `${id}.txt.gz`);
    const text = policyText(join(apps.policies, 'demo-agency.yaml'), limits, { id, hold });
    await writeFile(policy, text);
    await writeFile(domainFile, gzipSync(formatDomainFile(domain)));
    const keys = await apps.initNode(
      folder(id),
      {
        version: 1,
        agency: id,
        dataset: { name: 'incidents', mapping: 'auto' },
        coordinator,
        listen,
      },
      { policy, federationPolicy: join(sources, 'federation.yaml'), domain: domainFile },
    );
    await copyFile(domainFile, join(folder(COORDINATOR), 'domains', `${domain.hash}.txt.gz`));
    enrolled.push({
      id,
      name: id,
      kind: 'police',
      ...keys,
      domain: domain.hash,
      categories: [...categories],
    });
  }
  const grid = unionDomains(
    'test/grid',
    agencies.map(({ domain }) => domain),
  );
  const manifest = foundManifest({
    federation: 'concordat-test',
    grid: { name: 'ew-2026-1', hash: grid.hash },
    coordinator: { id: COORDINATOR, ...coordinatorKeys },
    auditor: { id: AUDITOR, ...auditorKeys },
    agencies: enrolled,
    analysts: [
      { id: ANALYST, publicKey: analystPublicKey, roles: ['national-analyst', 'forecast-owner'] },
    ],
    witnesses: [AUDITOR, ...enrolled.map(({ id }) => id)],
    quorum,
    ...(keyHolders ? { keyHolders } : {}),
  });
  const key = loadSigningKey(join(folder(COORDINATOR), 'keys', 'signing.pem'));
  const signed = JSON.stringify(seal('manifest', manifest, key));
  for (const id of [COORDINATOR, AUDITOR, ...agencies.map((agency) => agency.id)]) {
    await writeFile(join(folder(id), 'manifest.json'), signed);
  }
  return manifest;
}
