import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ConcordatError } from '#libs/bytes';
import {
  buildTree,
  type Domain,
  embed,
  formatDomainFile,
  type GridTree,
  parseDomainFile,
  type Resolution,
  unionDomains,
} from '#libs/grid';
import { PinnedManifest, verifySignature } from '#libs/keystore';
import {
  type Manifest,
  type ManifestAgency,
  ManifestHistory,
  type ManifestStep,
  manifestHash,
  processBoxKey,
} from '#libs/protocol';

/**
 * Every manifest of a folder, for processes that hold no key to check them by: they are told a hash by one that does, or need the names
 * only. Throws `manifest-missing` and what `ManifestHistory.open` throws.
 */
function historyInFolder(path: string): ManifestHistory {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new ConcordatError(
      'manifest-missing',
      `${path} cannot be read; put the signed federation manifest there`,
    );
  }
  return ManifestHistory.open(document, undefined, verifySignature);
}

/** The newest manifest of such a folder. Throws as `historyInFolder` does. */
export const manifestInFolder = (path: string): Manifest => historyInFolder(path).manifest;

/** Areas of several agencies together: their tree, and of each agency its own and where the nodes of that are. */
export interface AreaTrees {
  readonly domain: Domain;
  readonly tree: GridTree;
  readonly members: readonly { readonly tree: GridTree; readonly embedding: Int32Array }[];
}

/** Domains and trees by hash: the same under every manifest. */
interface Areas {
  readonly domains: Map<string, Domain>;
  readonly trees: Map<string, GridTree>;
}

/**
 * The federation under its manifest, with its agencies' public domains and trees, which are built once and kept. The one that `open`
 * gives goes along with the succession of manifests; those that `at` gives, and one made of a manifest, stay what they are.
 */
export class Federation {
  private readonly overlaps = new Map<string, boolean>();
  private coverage: (AreaTrees & { readonly key: string }) | undefined;
  private readonly fixedHash: string;

  constructor(
    private readonly fixed: Manifest,
    private readonly domainsDir: string,
    private readonly pinned?: PinnedManifest,
    private readonly areas: Areas = { domains: new Map(), trees: new Map() },
  ) {
    this.fixedHash = manifestHash(fixed);
  }

  /** Opens a manifest file that `publicKey` must have signed. Throws what `PinnedManifest.open` throws. */
  static open(manifestPath: string, domainsDir: string, publicKey: string): Federation {
    const pinned = PinnedManifest.open(manifestPath, publicKey);
    return new Federation(pinned.manifest, domainsDir, pinned);
  }

  get manifest(): Manifest {
    return this.pinned?.manifest ?? this.fixed;
  }

  get hash(): string {
    return this.pinned?.hash ?? this.fixedHash;
  }

  /** What was made known of the succession; undefined for a federation that stays what it is. */
  get succession(): Pick<PinnedManifest, 'file' | 'signed' | 'stepsAfter'> | undefined {
    return this.pinned;
  }

  /** The federation as it was, or is, under the manifest of this hash; undefined for one that never was in force. */
  at(hash: string): Federation | undefined {
    if (hash === this.fixedHash && !this.pinned) return this;
    const manifest = this.pinned?.named(hash);
    return manifest && new Federation(manifest, this.domainsDir, undefined, this.areas);
  }

  /** Takes the next manifest, durably. Throws what `PinnedManifest.extend` throws. */
  follow(step: ManifestStep): Manifest {
    if (!this.pinned) throw new ConcordatError('bad-manifest', 'this federation does not change');
    return this.pinned.extend(step);
  }

  /** The same for who knows the manifest by its hash and not its signer. Throws `manifest-missing`, `manifest-changed`. */
  static openPinned(manifestPath: string, domainsDir: string, hash: string): Federation {
    const manifest = historyInFolder(manifestPath).named(hash);
    if (manifest) return new Federation(manifest, domainsDir);
    throw new ConcordatError(
      'manifest-changed',
      'the folder holds another manifest than the one asked for; copy the current one there',
    );
  }

  agency(id: string): ManifestAgency | undefined {
    return this.manifest.agencies.find((agency) => agency.id === id);
  }

  /** Every box key that a process has had, newest first. */
  boxKeysOf(id: string): readonly string[] {
    return this.pinned?.boxKeysOf(id) ?? [processBoxKey(this.manifest, id) ?? ''];
  }

  /** Keeps the public domain of an agency that wants to enrol. */
  keepDomain(domain: Domain): void {
    writeFileSync(this.domainPath(domain.hash), gzipSync(formatDomainFile(domain)));
    this.areas.domains.set(domain.hash, domain);
  }

  /** Where the domain file of this hash lies. */
  domainPath(hash: string): string {
    return join(this.domainsDir, `${hash}.txt.gz`);
  }

  /** Public domain of an agency, read from the coordinator's folder and checked against the manifest (`wrong-domain`). */
  domainOf(agency: ManifestAgency): Domain {
    const { domains } = this.areas;
    const known = domains.get(agency.domain);
    if (known) return known;
    const path = this.domainPath(agency.domain);
    const domain = parseDomainFile(agency.id, gunzipSync(readFileSync(path)).toString('utf8'));
    if (domain.hash !== agency.domain) {
      throw new ConcordatError('wrong-domain', `${path} is not the domain that the manifest names`);
    }
    domains.set(agency.domain, domain);
    return domain;
  }

  /** Whether some cell belongs to the areas of two of these agencies. */
  overlap(agencies: readonly ManifestAgency[]): boolean {
    if (agencies.length < 2) return false;
    const key = agencies.map(({ domain }) => domain).join();
    const known = this.overlaps.get(key);
    if (known !== undefined) return known;
    const domains = agencies.map((agency) => this.domainOf(agency));
    const cells = domains.reduce((sum, domain) => sum + domain.cells.length, 0);
    const overlap = unionDomains('overlap', domains).cells.length < cells;
    this.overlaps.set(key, overlap);
    return overlap;
  }

  /** Tree of an agency's domain down to `resolution`. */
  treeOf(agency: ManifestAgency, resolution: Resolution): GridTree {
    const { trees } = this.areas;
    const key = `${agency.domain}/${resolution}`;
    const tree = trees.get(key) ?? buildTree(this.domainOf(agency), { finest: resolution });
    trees.set(key, tree);
    return tree;
  }

  /** The areas of these agencies together, as a tree down to `resolution`; the newest such is kept. */
  coverageOf(agencies: readonly ManifestAgency[], resolution: Resolution): AreaTrees {
    const key = [resolution, ...agencies.map(({ domain }) => domain)].join();
    if (this.coverage?.key === key) return this.coverage;
    const domain = unionDomains(
      'coverage',
      agencies.map((agency) => this.domainOf(agency)),
    );
    const tree = buildTree(domain, { finest: resolution });
    const members = agencies.map((agency) => {
      const own = this.treeOf(agency, resolution);
      return { tree: own, embedding: embed(own, tree) };
    });
    this.coverage = { key, domain, tree, members };
    return this.coverage;
  }
}
