import { existsSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { makeFolders } from '#libs/host';
import { readConfig } from '#libs/nest-kit';
import { PublicKey } from '#libs/protocol';
import { CoordinatorConfig, coordinatorPaths } from '../config.js';

/** `config.yaml` of a replica's folder; unknown keys are refused. */
export const ReplicaConfig = z.strictObject({
  version: z.literal(1),
  /** Address of the coordinator whose log is followed. */
  replicaOf: z.url(),
  /** Key of that coordinator that the first manifest is believed by. */
  publicKey: PublicKey,
  listen: CoordinatorConfig.shape.listen,
  trustedProxies: CoordinatorConfig.shape.trustedProxies,
  limits: CoordinatorConfig.shape.limits,
});
export type ReplicaConfig = z.infer<typeof ReplicaConfig>;

/** The settings in a folder. Throws `config-missing` or `config-invalid`. */
export const loadReplicaConfig = (dir: string): ReplicaConfig =>
  readConfig(
    coordinatorPaths(dir).config,
    ReplicaConfig,
    `concordat coordinator replica --dir ${dir} --of URL --key KEY`,
  );

/** Makes the folder of a replica, once. Throws `folder-taken` when it is of something else or another coordinator. */
export function makeReplicaFolder(dir: string, config: ReplicaConfig): void {
  const { config: path } = coordinatorPaths(dir);
  if (!existsSync(path)) {
    makeFolders(dir, { mode: 0o700 });
    writeFileSync(path, stringify(ReplicaConfig.parse(config)), { flag: 'wx' });
    return;
  }
  const known = loadReplicaConfig(dir);
  if (known.replicaOf !== config.replicaOf || known.publicKey !== config.publicKey) {
    throw new ConcordatError(
      'folder-taken',
      `${path} names another coordinator; choose another folder, or leave --of and --key out`,
    );
  }
}
