/** The policies of a node: the documents in its folder against their signature, and every set its log names against its blob. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConcordatError, canonicalJson, fromUtf8, isConcordatError, sha256Hex } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import {
  decodePolicySet,
  type PolicySet,
  parseFederation,
  parsePolicy,
  policyDigest,
} from '#libs/policy';
import { openEnvelope, PolicyApproval } from '#libs/protocol';
import type { EntryOf } from '#libs/tlog';
import { isExactJson } from './exact-json.js';
import type { NamedBlobs } from './named-blobs.js';
import type { AuditFault } from './process-folder.js';

/** The set that a log names, from the blobs in `dir`. Throws `bad-policy`, and errors of the disk. */
export const readPolicySet = (dir: string, digest: string): PolicySet =>
  decodePolicySet(readFileSync(join(dir, digest.slice(0, 2), digest)));

/**
 * The documents that lie in the folder are, byte for byte, those that the agency's key signed. Which were in force when is said by
 * the log, not by them.
 */
export function checkPolicyDocuments(
  dir: string,
  agency: { readonly id: string; readonly publicKey: string },
): AuditFault[] {
  const read = (name: string): Uint8Array => {
    try {
      return readFileSync(join(dir, name));
    } catch {
      throw new ConcordatError('policy-missing', `${name} cannot be read`);
    }
  };
  let at = 'policy.yaml';
  try {
    const policy = read(at);
    const agencyPolicy = parsePolicy(fromUtf8(policy));
    at = 'federation.yaml';
    const federation = read(at);
    const set = { agency: agencyPolicy, federation: parseFederation(fromUtf8(federation)) };
    at = 'policy.signature.json';
    const text = fromUtf8(read(at));
    const envelope: unknown = JSON.parse(text);
    const signed = openEnvelope(
      'policy',
      PolicyApproval,
      envelope,
      agency.publicKey,
      verifySignature,
    );
    if (!isExactJson(text, envelope)) return [{ at, kind: 'policy-unsigned' }];
    const documents = { policy: sha256Hex(policy), federation: sha256Hex(federation) };
    const found = { agency: agency.id, policyDigest: policyDigest(set), documents };
    if (canonicalJson(signed) === canonicalJson(found)) return [];
    at = signed.documents.federation === documents.federation ? 'policy.yaml' : 'federation.yaml';
    return [{ at, kind: 'policy-unsigned' }];
  } catch (error) {
    if (isConcordatError(error)) return [{ at, kind: error.code }];
    if (error instanceof SyntaxError) return [{ at, kind: 'policy-unsigned' }];
    throw error;
  }
}

/** What a log says of the policies it was kept under, gathered as its entries go by. */
export class PolicyHistory {
  readonly #activated: { readonly at: string; readonly entry: EntryOf<'policy.activated'> }[] = [];
  /** First place where a grant is named, by policy digest and grant. */
  readonly #grants = new Map<string, Map<string, string>>();

  add(at: string, entry: EntryOf<'policy.activated'> | EntryOf<'budget.reserved'>): void {
    if (entry.kind === 'policy.activated') {
      this.#activated.push({ at, entry });
      return;
    }
    const known = this.#grants.get(entry.policyDigest) ?? new Map<string, string>();
    if (!known.has(entry.grant)) known.set(entry.grant, at);
    this.#grants.set(entry.policyDigest, known);
  }

  /** How many sets were activated. */
  get count(): number {
    return new Set(this.#activated.map(({ entry }) => entry.policyDigest)).size;
  }

  /**
   * Every set that was activated lies among the blobs, is the agency's whose log it is, has the limits its entry gives, and the
   * grants that spends name.
   */
  async check(blobs: NamedBlobs): Promise<AuditFault[]> {
    const faults: AuditFault[] = [];
    for (const { at, entry } of this.#activated) {
      const bytes = await blobs.read(entry.policyDigest);
      if (bytes) faults.push(...this.#compare(at, entry, bytes));
      else if ((await blobs.look(entry.policyDigest)) === 'missing')
        faults.push({ at, kind: 'policy-missing' });
    }
    return faults;
  }

  #compare(at: string, entry: EntryOf<'policy.activated'>, bytes: Uint8Array): AuditFault[] {
    let set: PolicySet;
    try {
      set = decodePolicySet(bytes);
    } catch (error) {
      if (!isConcordatError(error)) throw error;
      return [{ at, kind: error.code }];
    }
    const { agency } = set;
    const rhoPerYear = Object.entries(agency.limits.datasets).map(([name, limit]) => [
      name,
      { rhoPerYear: limit.rhoPerYear },
    ]);
    const limits = {
      datasets: Object.fromEntries(rhoPerYear),
      analysts: agency.limits.analysts,
    };
    const isSame =
      agency.agency === entry.agency && canonicalJson(limits) === canonicalJson(entry.limits);
    const granted = new Set(agency.grants.map(({ id }) => id));
    const unknown = [...(this.#grants.get(entry.policyDigest) ?? [])].filter(
      ([grant]) => !granted.has(grant),
    );
    return [
      ...(isSame ? [] : [{ at, kind: 'policy-differs' }]),
      ...unknown.map(([, place]) => ({ at: place, kind: 'grant-unknown' })),
    ];
  }
}
