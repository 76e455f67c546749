import { readFile } from 'node:fs/promises';
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
import { replaceFile } from '#libs/host';
import type { ManifestAgency } from '#libs/protocol';

/** Much more than the compacted cells of the whole grid. */
const MAX_DOMAIN_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

/**
 * Public areas of the agencies and their trees. A domain that is not in the folder yet is fetched from the coordinator, and believed because it
 * hashes to what the manifest says.
 */
export class AgencyTrees {
  private readonly domains = new Map<string, Promise<Domain>>();
  private readonly trees = new Map<string, GridTree>();

  constructor(
    private readonly dir: string,
    private readonly coordinatorUrl: string,
  ) {}

  /** Throws `not-yet` while the coordinator does not give it, `wrong-domain` for another one. */
  domain(agency: ManifestAgency): Promise<Domain> {
    const known = this.domains.get(agency.domain);
    if (known !== undefined) return known;
    const opening = this.open(agency);
    this.domains.set(agency.domain, opening);
    opening.catch(() => this.domains.delete(agency.domain));
    return opening;
  }

  async tree(agency: ManifestAgency, resolution: Resolution): Promise<GridTree> {
    const key = `${agency.domain}/${resolution}`;
    const tree =
      this.trees.get(key) ?? buildTree(await this.domain(agency), { finest: resolution });
    this.trees.set(key, tree);
    return tree;
  }

  private async open({ id, domain: hash }: ManifestAgency): Promise<Domain> {
    const path = join(this.dir, `${hash}.txt.gz`);
    const kept = await readFile(path).catch(() => undefined);
    const known = kept && domainOf(id, kept);
    if (known?.hash === hash) return known;
    const bytes = await this.fetch(hash);
    const domain = domainOf(id, bytes);
    if (domain?.hash !== hash) {
      throw new ConcordatError(
        'wrong-domain',
        'the coordinator gave another area than the manifest names',
      );
    }
    await replaceFile(path, bytes, { durable: false });
    return domain;
  }

  private async fetch(hash: string): Promise<Uint8Array> {
    try {
      const response = await fetch(new URL(`/v1/domains/${hash}`, this.coordinatorUrl), {
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: 'error',
      });
      if (!response.ok) throw new Error(`status ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      throw new ConcordatError(
        'not-yet',
        'the area of this agency could not be fetched from the coordinator; send again later',
        { cause },
      );
    }
  }
}

function domainOf(id: string, bytes: Uint8Array): Domain | undefined {
  try {
    const text = gunzipSync(bytes, { maxOutputLength: MAX_DOMAIN_BYTES }).toString('utf8');
    return parseDomainFile(id, text);
  } catch {
    return undefined;
  }
}
