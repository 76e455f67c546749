import { openWitness, WitnessedLog } from '#libs/journal';
import { noteSigner } from '#libs/keystore';
import { relayOver, type SignedClient, startWitnessLoop } from '#libs/nest-kit';
import { logVerifierKeys, witnessedLogKeys } from '#libs/protocol';
import type { Node } from './node.js';

/** The node's own log before its witnesses, and the node as a witness of others when the manifest names it. */
export interface Witnessing {
  readonly log: WitnessedLog;
  /** Takes the keys of the manifest that is in force now. */
  followManifest(): void;
  stop(): Promise<void>;
}

/** Starts both. `dir` keeps what it has cosigned; `onNote` hears every note of its own log worth showing. */
export async function startWitnessing(
  node: Node,
  client: SignedClient,
  dir: string,
  onNote: (note: string) => void,
): Promise<Witnessing> {
  const { manifest, agency, key, nowMs } = node;
  const logKeys = new Map(logVerifierKeys(manifest));
  const relay = relayOver(client);
  const witness = manifest.witnesses.includes(agency.id)
    ? await openWitness({
        dir,
        logKeys,
        signer: noteSigner(node.logOrigin, key),
        clock: nowMs,
      })
    : undefined;
  const log = new WitnessedLog({
    journal: node.journal,
    origin: node.logOrigin,
    keys: () => witnessedLogKeys(node.manifest, agency.id),
    send: relay.send,
    onNote,
  });
  const stopLoop = startWitnessLoop({
    relay,
    federation: manifest.federation,
    log,
    witness,
    logger: node.logger,
  });
  return {
    log,
    followManifest: () => {
      logKeys.clear();
      for (const [origin, keys] of logVerifierKeys(node.manifest)) logKeys.set(origin, keys);
    },
    stop: async () => {
      await stopLoop();
      await witness?.close();
      // leaves no entry without a checkpoint, unless the witnesses were never heard
      await log.checkpoint();
    },
  };
}
