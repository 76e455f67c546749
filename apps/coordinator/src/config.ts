import { join } from 'node:path';
import { z } from 'zod';
import { readConfig } from '#libs/nest-kit';
import { Name, PublicKey } from '#libs/protocol';

const PerMinute = z.int().min(1).max(10_000_000);

/** Limits of a minute where `config.yaml` gives none: far above what map, command line and nodes do, below what wears a server out. */
export const DEFAULT_LIMITS = {
  requestsPerAddress: 12_000,
  requestsPerMember: 6_000,
  questionsPerAnalyst: 600,
} as const;

/** `config.yaml` of the coordinator's folder; unknown keys are refused. */
export const CoordinatorConfig = z.strictObject({
  version: z.literal(1),
  id: Name,
  /** Of this folder's own signing key, written by init: whoever audits the folder without `keys/` knows whose manifest to believe. */
  publicKey: PublicKey.optional(),
  listen: z.strictObject({ host: z.string().min(1), port: z.int().min(0).max(65_535) }),
  /** How long agencies have to answer before a round closes without them. */
  roundDeadlineSeconds: z
    .int()
    .min(1)
    .max(30 * 86_400),
  /** How long everything after the closing may take before the round expires; 3,600 unless given. */
  finishWithinSeconds: z.int().min(1).max(86_400).optional(),
  /** Addresses or networks (CIDR) of reverse proxies in front, whose X-Forwarded-For is believed; nobody's unless given. */
  trustedProxies: z
    .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))
    .max(64)
    .optional(),
  /** How often one may ask in a minute; what is left out has its default. */
  limits: z
    .strictObject({
      requestsPerAddress: PerMinute.optional(),
      requestsPerMember: PerMinute.optional(),
      questionsPerAnalyst: PerMinute.optional(),
    })
    .optional(),
});
export type CoordinatorConfig = z.infer<typeof CoordinatorConfig>;

/** Where everything of the coordinator lies. */
export const coordinatorPaths = (dir: string) => ({
  config: join(dir, 'config.yaml'),
  signingKey: join(dir, 'keys', 'signing.pem'),
  boxKey: join(dir, 'keys', 'box.pem'),
  manifest: join(dir, 'manifest.json'),
  control: join(dir, 'control.json'),
  domains: join(dir, 'domains'),
  log: join(dir, 'log'),
  blobs: join(dir, 'blobs'),
  uploads: join(dir, 'uploads'),
  layers: join(dir, 'layers'),
  rounds: join(dir, 'rounds'),
  schedules: join(dir, 'schedules.json'),
});

/** Reads and checks `config.yaml`. Throws `config-missing` or `config-invalid`. */
export const loadConfig = (dir: string): CoordinatorConfig =>
  readConfig(
    coordinatorPaths(dir).config,
    CoordinatorConfig,
    `concordat coordinator init --dir ${dir}`,
  );
