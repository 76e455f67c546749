import { join } from 'node:path';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { readConfig } from '#libs/nest-kit';
import { Digest, Name, PublicKey } from '#libs/protocol';

/** `config.yaml` of a node's folder: the only settings there are; unknown keys are refused. */
export const NodeConfig = z.strictObject({
  version: z.literal(1),
  agency: Name,
  /** Dataset that this node answers about, and how its files are read. */
  dataset: z.strictObject({ name: Name, mapping: z.string().min(1) }),
  /** Where the coordinator is and the key that its first manifest is believed by; `node enrol` writes both. */
  coordinator: z.strictObject({ url: z.url(), publicKey: PublicKey }).optional(),
  /** Where the auditor takes the seeds of sealed answers. Without it this node refuses sealed questions. */
  auditor: z.strictObject({ url: z.url() }).optional(),
  /**
   * Digest of the identity provider that everyone who asks here must have signed in at (`concordat coordinator identity-provider show`). With it
   * no key of the manifest may ask, and no other provider, keys or roles count: the coordinator cannot name an analyst to this node.
   */
  identityProvider: Digest.optional(),
  /** Loopback address of the controller console; 0 picks a free port. */
  listen: z.strictObject({ host: z.string().min(1), port: z.int().min(0).max(65_535) }),
});
export type NodeConfig = z.infer<typeof NodeConfig>;

/** Where everything of a node lies. One place, so that a backup or a review knows what it is looking at. */
export const nodePaths = (dir: string) => ({
  config: join(dir, 'config.yaml'),
  signingKey: join(dir, 'keys', 'signing.pem'),
  boxKey: join(dir, 'keys', 'box.pem'),
  recordSecret: join(dir, 'keys', 'record-secret'),
  manifest: join(dir, 'manifest.json'),
  domain: join(dir, 'domain.txt.gz'),
  policy: join(dir, 'policy.yaml'),
  federationPolicy: join(dir, 'federation.yaml'),
  policySignature: join(dir, 'policy.signature.json'),
  log: join(dir, 'log'),
  blobs: join(dir, 'blobs'),
  witnessed: join(dir, 'witnessed'),
  records: join(dir, 'records'),
  mappings: join(dir, 'mappings'),
  linkage: join(dir, 'linkage'),
  control: join(dir, 'control.json'),
});

/** Reads and checks `config.yaml`. Throws `config-missing` or `config-invalid`. */
export const loadConfig = (dir: string): NodeConfig =>
  readConfig(nodePaths(dir).config, NodeConfig, `concordat node init --dir ${dir}`);

/** The coordinator of a node that has begun to enrol. Throws `not-enrolled`. */
export function coordinatorOf(config: NodeConfig): {
  readonly url: string;
  readonly publicKey: string;
} {
  if (config.coordinator) return config.coordinator;
  throw new ConcordatError(
    'not-enrolled',
    'this node belongs to no federation yet; run: concordat node enrol',
  );
}
