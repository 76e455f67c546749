import { WitnessedLog } from '#libs/journal';
import { startWitnessLoop } from '#libs/nest-kit';
import { logOrigin, witnessedLogKeys } from '#libs/protocol';
import type { Coordinator } from '../coordinator.js';
import { Checkpoints } from './checkpoints.js';
import { WitnessRelay } from './witness-relay.js';

const WAIT_MS = 20_000;

/** The relay for everyone, and the coordinator's own log before its witnesses. */
export interface Witnessing {
  readonly relay: WitnessRelay;
  readonly checkpoints: Checkpoints;
  readonly log: WitnessedLog;
  stop(): Promise<void>;
}

/** Starts relaying, and asks the witnesses of the coordinator's own log what they hold. */
export function startWitnessing(coordinator: Coordinator): Witnessing {
  const { config, federation, journal, logger } = coordinator;
  const { manifest } = federation;
  const origin = logOrigin(manifest.federation, config.id);
  const relay = new WitnessRelay(federation, Date.now());
  const checkpoints = new Checkpoints(federation);
  const log = new WitnessedLog({
    journal,
    origin,
    keys: () => witnessedLogKeys(federation.manifest, config.id),
    send: async (to, message) => relay.put(config.id, to, message),
    onNote: (note) => checkpoints.put(config.id, { origin, note }),
  });
  const stopLoop = startWitnessLoop({
    relay: {
      send: async (to, message) => relay.put(config.id, to, message),
      receive: (sequence, signal) => relay.after(config.id, sequence, WAIT_MS, signal),
    },
    federation: manifest.federation,
    log,
    witness: undefined,
    logger,
  });
  return {
    relay,
    checkpoints,
    log,
    stop: async () => {
      await stopLoop();
      relay.close();
      // leaves no entry without a checkpoint, unless the witnesses were never heard
      await log.checkpoint();
    },
  };
}
