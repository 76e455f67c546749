import { openWitness, WitnessedLog } from '#libs/journal';
import { relayOver, type SignedClient, startWitnessLoop } from '#libs/nest-kit';
import { logVerifierKey, logVerifierKeys, witnessVerifierKeys } from '#libs/protocol';
import type { Node } from './node.js';

/** The node's own log before its witnesses, and the node as a witness of others when the manifest names it. */
export interface Witnessing {
  readonly log: WitnessedLog;
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
  const relay = relayOver(client);
  const witness = manifest.witnesses.includes(agency.id)
    ? await openWitness({
        dir,
        logKeys: logVerifierKeys(manifest),
        signer: { name: node.logOrigin, publicKey: key.publicKeyBytes, sign: (m) => key.sign(m) },
        clock: nowMs,
      })
    : undefined;
  const log = new WitnessedLog({
    journal: node.journal,
    origin: node.logOrigin,
    logKeys: [logVerifierKey(manifest, agency.id)],
    witnesses: witnessVerifierKeys(manifest, agency.id),
    quorum: manifest.quorum,
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
    stop: async () => {
      await stopLoop();
      await witness?.close();
      // leaves nothing unsigned behind, unless the witnesses were never heard
      await log.checkpoint();
    },
  };
}
