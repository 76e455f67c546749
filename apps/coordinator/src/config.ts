import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConcordatError } from '#libs/bytes';
import { Name } from '#libs/protocol';
import { parse } from 'yaml';
import { z } from 'zod';

/** `config.yaml` of the coordinator's folder; unknown keys are refused. */
const CoordinatorConfig = z.strictObject({
  version: z.literal(1),
  id: Name,
  listen: z.strictObject({ host: z.string().min(1), port: z.int().min(0).max(65_535) }),
  /** How long agencies have to answer before a round closes without them. */
  roundDeadlineSeconds: z.int().min(1).max(30 * 86_400),
});
export type CoordinatorConfig = z.infer<typeof CoordinatorConfig>;

/** Where everything of the coordinator lies. */
export const coordinatorPaths = (dir: string) => ({
  config: join(dir, 'config.yaml'),
  signingKey: join(dir, 'keys', 'signing.pem'),
  manifest: join(dir, 'manifest.json'),
  domains: join(dir, 'domains'),
  log: join(dir, 'log'),
  blobs: join(dir, 'blobs'),
  uploads: join(dir, 'uploads'),
});

/** Reads and checks `config.yaml`. Throws `config-missing` or `config-invalid`. */
export function loadConfig(dir: string): CoordinatorConfig {
  const { config } = coordinatorPaths(dir);
  let text: string;
  try {
    text = readFileSync(config, 'utf8');
  } catch {
    throw new ConcordatError('config-missing', `${config} cannot be read; run: concordat coordinator init --dir ${dir}`);
  }
  let value: unknown;
  try {
    value = parse(text, { uniqueKeys: true });
  } catch {
    throw new ConcordatError('config-invalid', `${config} is not YAML`);
  }
  const parsed = CoordinatorConfig.safeParse(value);
  if (!parsed.success) {
    const where = parsed.error.issues[0]?.path.join('.') || 'top level';
    throw new ConcordatError('config-invalid', `${config}: ${parsed.error.issues[0]?.message} (at ${where})`);
  }
  return parsed.data;
}
