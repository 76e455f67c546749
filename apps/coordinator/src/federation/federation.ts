import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ConcordatError } from '#libs/bytes';
import {
  buildTree,
  type Domain,
  type GridTree,
  parseDomainFile,
  type Resolution,
} from '#libs/grid';
import { verifySignature } from '#libs/keystore';
import {
  type Manifest,
  type ManifestAgency,
  manifestHash,
  openSignedManifest,
} from '#libs/protocol';

/** The pinned manifest with its agencies' public domains and trees, which are built once and kept. */
export class Federation {
  private readonly domains = new Map<string, Domain>();
  private readonly trees = new Map<string, GridTree>();
  readonly hash: string;

  constructor(
    readonly manifest: Manifest,
    private readonly domainsDir: string,
  ) {
    this.hash = manifestHash(manifest);
  }

  /** Opens a signed manifest file that `publicKey` must have signed. Throws `manifest-missing` or what `openEnvelope` throws. */
  static open(manifestPath: string, domainsDir: string, publicKey: string): Federation {
    let text: string;
    try {
      text = readFileSync(manifestPath, 'utf8');
    } catch {
      throw new ConcordatError(
        'manifest-missing',
        `${manifestPath} cannot be read; put the signed federation manifest there`,
      );
    }
    const manifest = openSignedManifest(JSON.parse(text), publicKey, verifySignature);
    return new Federation(manifest, domainsDir);
  }

  agency(id: string): ManifestAgency | undefined {
    return this.manifest.agencies.find((agency) => agency.id === id);
  }

  /** Public domain of an agency, read from the coordinator's folder and checked against the manifest (`wrong-domain`). */
  domainOf(agency: ManifestAgency): Domain {
    const known = this.domains.get(agency.domain);
    if (known) return known;
    const path = join(this.domainsDir, `${agency.domain}.txt.gz`);
    const domain = parseDomainFile(agency.id, gunzipSync(readFileSync(path)).toString('utf8'));
    if (domain.hash !== agency.domain) {
      throw new ConcordatError('wrong-domain', `${path} is not the domain that the manifest names`);
    }
    this.domains.set(agency.domain, domain);
    return domain;
  }

  /** Tree of an agency's domain down to `resolution`. */
  treeOf(agency: ManifestAgency, resolution: Resolution): GridTree {
    const key = `${agency.domain}/${resolution}`;
    const tree = this.trees.get(key) ?? buildTree(this.domainOf(agency), { finest: resolution });
    this.trees.set(key, tree);
    return tree;
  }
}
