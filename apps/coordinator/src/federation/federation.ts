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
  Manifest,
  type ManifestAgency,
  manifestHash,
  openSignedManifest,
  signedSchema,
} from '#libs/protocol';

const ManifestFile = signedSchema(Manifest);

function readManifest(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new ConcordatError(
      'manifest-missing',
      `${path} cannot be read; put the signed federation manifest there`,
    );
  }
}

/**
 * The manifest in a folder, for processes that hold no key to check it by: they are told its hash by one that does, or need its names only.
 * Throws `manifest-missing` or `malformed-message`.
 */
export function manifestInFolder(path: string): Manifest {
  const found = ManifestFile.safeParse(readManifest(path));
  if (found.success) return found.data.payload;
  throw new ConcordatError('malformed-message', `${path} is no manifest of this version`);
}

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
    const manifest = openSignedManifest(readManifest(manifestPath), publicKey, verifySignature);
    return new Federation(manifest, domainsDir);
  }

  /** The same for who knows the manifest by its hash and not its signer. Throws `manifest-missing`, `manifest-changed`. */
  static openPinned(manifestPath: string, domainsDir: string, hash: string): Federation {
    const manifest = manifestInFolder(manifestPath);
    if (manifestHash(manifest) === hash) return new Federation(manifest, domainsDir);
    throw new ConcordatError(
      'manifest-changed',
      'the folder holds another manifest than the one asked for; copy the current one there',
    );
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
