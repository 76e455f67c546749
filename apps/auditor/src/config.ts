import { join } from 'node:path';
import { z } from 'zod';
import { readConfig } from '#libs/nest-kit';
import { Name, PublicKey } from '#libs/protocol';

/** `config.yaml` of the auditor's folder; unknown keys are refused. */
export const AuditorConfig = z.strictObject({
  version: z.literal(1),
  id: Name,
  coordinator: z.strictObject({ url: z.url(), publicKey: PublicKey }),
  listen: z.strictObject({ host: z.string().min(1), port: z.int().min(0).max(65_535) }),
});
export type AuditorConfig = z.infer<typeof AuditorConfig>;

/** Where everything of the auditor lies. */
export const auditorPaths = (dir: string) => ({
  config: join(dir, 'config.yaml'),
  signingKey: join(dir, 'keys', 'signing.pem'),
  boxKey: join(dir, 'keys', 'box.pem'),
  manifest: join(dir, 'manifest.json'),
  control: join(dir, 'control.json'),
  log: join(dir, 'log'),
  witnessed: join(dir, 'witnessed'),
  linkage: join(dir, 'linkage'),
  /** Of sealed rounds: seeds until their end, sums of masks, public areas of the agencies. */
  seeds: join(dir, 'seeds'),
  sums: join(dir, 'sums'),
  domains: join(dir, 'domains'),
});

/** Reads and checks `config.yaml`. Throws `config-missing` or `config-invalid`. */
export const loadConfig = (dir: string): AuditorConfig =>
  readConfig(auditorPaths(dir).config, AuditorConfig, `concordat auditor init --dir ${dir}`);
