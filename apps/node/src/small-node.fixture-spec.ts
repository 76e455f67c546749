/** A node's folder with real records, for the specs beside it (the name keeps it out of the build and out of Jest's list). */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { cellAt, disk, domainFromCells, formatDomainFile, sortedCells } from '#libs/grid';
import { parseMapping, parseTaxonomy } from '#libs/harmonise';
import {
  createBoxKey,
  createSigningKey,
  loadSecret,
  loadSigningKey,
  type SigningKey,
} from '#libs/keystore';
import { Manifest, manifestHash, type SignedTask, seal } from '#libs/protocol';
import { CATEGORIES, canonicaliseQuery, fingerprint } from '#libs/query';
import { openRecords } from '#libs/records';
import { nodePaths } from './config.js';
import { initNode } from './init.js';
import { signPolicies } from './signed-policy.js';

export const AGENCY = 'city-of-london-police';
const MONTHS = ['2024-01', '2024-02', '2024-03'];
const GRID_HASH = '1'.repeat(64);

/** 91 cells around the Bank of England. */
const domain = domainFromCells(AGENCY, sortedCells(disk(cellAt(51.5134, -0.089, 9), 5)));

export interface SmallNode {
  readonly dir: string;
  readonly coordinator: SigningKey;
  /** A signed task, as the coordinator puts it in the inbox; a round is new unless given. */
  task(question?: Question): SignedTask;
  /** Changes the agency's policy and signs it anew: in force from the node's next start. */
  changePolicy(change: (policy: PolicyText) => void): void;
  remove(): void;
}

/** What tests change of a policy document. */
interface PolicyText {
  grants: { id: string; purposes: string[]; approval: string; validUntil: string }[];
}

/** Two who may ask, and one whose role no grant names. */
const ROLES = {
  'analyst-1': 'national-analyst',
  'analyst-2': 'national-analyst',
  viewer: 'tile-viewer',
} as const;

export interface Question {
  readonly round?: string;
  /** `analyst-1` unless given. */
  readonly analyst?: keyof typeof ROLES;
  readonly rho?: string;
  readonly category?: string;
  readonly period?: string;
  readonly resolution?: number;
  /** Questions for `intervention-evaluation` are held for a person. */
  readonly purpose?: 'hotspot-policing' | 'intervention-evaluation';
}

export interface Settings {
  readonly approvers?: 1 | 2;
  readonly holdHours?: number;
  readonly rhoPerYear?: string;
  readonly queriesPerDay?: number;
  readonly coordinatorUrl?: string;
  /** Where the folder is made; in the system's temporary folder unless given. */
  readonly dir?: string;
  readonly nowMs?: number;
}

/** The demo's policy, with one grant more that holds, and limits as given. */
function writePolicies(dir: string, settings: Settings): void {
  const { approvers = 1, holdHours = 1, rhoPerYear = '2', queriesPerDay = 1000 } = settings;
  const policy = parse(
    readFileSync('policies/demo-agency.yaml', 'utf8').replaceAll('demo-agency', AGENCY),
  );
  const grant = policy.grants.find(({ id }: { id: string }) => id === 'hotspot-policing');
  const bounds = { ...grant, finestResolution: 9 };
  policy.grants = [
    { ...bounds, purposes: ['hotspot-policing'] },
    {
      ...bounds,
      id: 'evaluation',
      purposes: ['intervention-evaluation'],
      approval: 'hold',
      holdHours,
      approvers,
    },
  ];
  policy.limits.datasets.incidents.rhoPerYear = rhoPerYear;
  policy.limits.analysts = { rhoPerYear, queriesPerDay };
  const floor = parse(readFileSync('policies/federation.yaml', 'utf8'));
  floor.limits.datasets.incidents.rhoPerYear = rhoPerYear;
  floor.limits.analysts = { rhoPerYear, queriesPerDay };
  writeFileSync(join(dir, 'policy.yaml'), JSON.stringify(policy));
  writeFileSync(join(dir, 'federation.yaml'), JSON.stringify(floor));
  writeFileSync(join(dir, 'domain.txt.gz'), gzipSync(formatDomainFile(domain)));
}

/** Makes keys, manifest, policy and folder, and takes in three months of the City of London's published records. */
export async function makeSmallNode(settings: Settings = {}): Promise<SmallNode> {
  const base = mkdtempSync(join(tmpdir(), 'concordat-node-'));
  const dir = settings.dir ?? join(base, 'node');
  mkdirSync(dir, { recursive: true });
  const coordinator = createSigningKey(join(base, 'coordinator.pem'));
  const analysts = Object.fromEntries(
    Object.keys(ROLES).map((id) => [id, createSigningKey(join(base, `${id}.pem`))]),
  ) as Record<keyof typeof ROLES, SigningKey>;
  const box = createBoxKey(join(base, 'box.pem'));
  writePolicies(dir, settings);
  const keys = await initNode(
    dir,
    {
      version: 1,
      agency: AGENCY,
      dataset: { name: 'incidents', mapping: 'auto' },
      coordinator: {
        url: settings.coordinatorUrl ?? 'http://127.0.0.1:9/',
        publicKey: coordinator.publicKey,
      },
      listen: { host: '127.0.0.1', port: 0 },
    },
    {
      policy: join(dir, 'policy.yaml'),
      federationPolicy: join(dir, 'federation.yaml'),
      domain: join(dir, 'domain.txt.gz'),
    },
  );
  const manifest: Manifest = {
    version: 1,
    federation: 'small',
    serial: 1,
    previous: null,
    change: { kind: 'founded' },
    formerKeys: [],
    grid: { name: 'ew-2026-1', hash: GRID_HASH },
    coordinator: { id: 'coordinator', publicKey: coordinator.publicKey, boxKey: box.publicKey },
    auditor: {
      id: 'auditor',
      publicKey: analysts['analyst-1'].publicKey,
      boxKey: box.publicKey,
    },
    agencies: [
      {
        id: AGENCY,
        name: 'City of London Police',
        kind: 'police',
        ...keys,
        domain: domain.hash,
        categories: [...CATEGORIES],
      },
    ],
    witnesses: [],
    quorum: 0,
    analysts: Object.entries(ROLES).map(([id, role]) => ({
      id,
      publicKey: analysts[id as keyof typeof ROLES].publicKey,
      roles: [role],
    })),
  };
  Manifest.parse(manifest);
  const paths = nodePaths(dir);
  writeFileSync(paths.manifest, JSON.stringify(seal('manifest', manifest, coordinator)));
  await takeIn(paths);

  const task = (question: Question = {}): SignedTask => {
    const { round = randomBytes(16).toString('hex'), rho = '1/8', resolution = 6 } = question;
    const { category = 'robbery', period = '2024-01', purpose = 'hotspot-policing' } = question;
    const { analyst = 'analyst-1' } = question;
    const query = canonicaliseQuery({
      version: 1,
      measure: 'incidents',
      categories: [category],
      periods: [period],
      resolution,
      grid: 'ew-2026-1',
      gridHash: GRID_HASH,
      rho,
      purpose,
    });
    const asked = fingerprint(query);
    const pinned = manifestHash(manifest);
    const nonce = randomBytes(16).toString('hex');
    const at = new Date(settings.nowMs ?? Date.now()).toISOString();
    const assertion = { analyst, fingerprint: asked, manifest: pinned, at, nonce };
    const payload = {
      round,
      agency: AGENCY,
      query,
      fingerprint: asked,
      assertion: seal('assertion', assertion, analysts[analyst]),
      manifest: pinned,
      deadline: new Date((settings.nowMs ?? Date.now()) + 120_000).toISOString(),
    };
    return seal('task', payload, coordinator) as SignedTask;
  };
  const changePolicy: SmallNode['changePolicy'] = (change) => {
    const policy = parse(readFileSync(paths.policy, 'utf8'));
    change(policy);
    writeFileSync(paths.policy, JSON.stringify(policy));
    signPolicies(paths, AGENCY, loadSigningKey(paths.signingKey));
  };
  return {
    dir,
    coordinator,
    task,
    changePolicy,
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}

async function takeIn(paths: ReturnType<typeof nodePaths>): Promise<void> {
  const records = await openRecords({
    dir: paths.records,
    secret: loadSecret(paths.recordSecret),
  });
  try {
    const report = await records.ingestFiles({
      dataset: 'incidents',
      files: MONTHS.map((month) => ({
        path: `samples/agencies/${AGENCY}/${month}-city-of-london-street.csv.gz`,
      })),
      mapping: parseMapping(readFileSync('policies/mappings/police-uk-street.yaml', 'utf8')),
      taxonomy: parseTaxonomy(readFileSync('policies/taxonomy/common-v1.yaml', 'utf8')),
      domain,
      nowMs: Date.UTC(2026, 0, 1),
    });
    const refused = report.files.filter(({ status }) => status !== 'ingested');
    if (refused.length > 0) throw new Error(`not taken in: ${JSON.stringify(refused)}`);
  } finally {
    await records.close();
  }
}
