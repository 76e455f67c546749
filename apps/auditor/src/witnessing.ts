import { canonicalBytes } from '#libs/bytes';
import { type Journal, openWitness, type Witness, WitnessedLog } from '#libs/journal';
import { noteSigner, type PinnedManifest, type SigningKey } from '#libs/keystore';
import {
  type Logger,
  notePoster,
  relayOver,
  type SignedClient,
  startWitnessLoop,
} from '#libs/nest-kit';
import { logOrigin, logVerifierKeys, witnessedLogKeys } from '#libs/protocol';

/** The auditor as a witness of every log, and its own log before the other witnesses. */
export interface Witnessing {
  readonly log: WitnessedLog;
  readonly witness: Witness;
  /** Takes the keys of the manifest that is in force now. */
  followManifest(): void;
  /** Ends the exchange; `log` and `witness` stay open until `witness.close`. */
  stop(): Promise<void>;
}

/** Starts both. `dir` keeps what it has cosigned. */
export async function startWitnessing(
  own: {
    readonly id: string;
    readonly key: SigningKey;
    readonly pinned: PinnedManifest;
    readonly journal: Journal;
    readonly client: SignedClient;
    readonly logger: Logger;
    readonly nowMs: () => number;
  },
  dir: string,
): Promise<Witnessing> {
  const { id, pinned, client } = own;
  const { manifest } = pinned;
  const origin = logOrigin(manifest.federation, id);
  const logKeys = new Map(logVerifierKeys(manifest));
  const signer = noteSigner(origin, own.key);
  const witness = await openWitness({ dir, logKeys, signer, clock: own.nowMs });
  const relay = relayOver(client);
  const log = new WitnessedLog({
    journal: own.journal,
    origin,
    keys: () => witnessedLogKeys(pinned.manifest, id),
    send: relay.send,
    onNote: notePoster((note) =>
      client.send('POST', '/v1/checkpoints', canonicalBytes({ origin, note }), 'application/json'),
    ),
  });
  const { federation } = manifest;
  const stop = startWitnessLoop({ relay, federation, log, witness, logger: own.logger });
  return {
    log,
    witness,
    followManifest: () => {
      logKeys.clear();
      for (const [name, keys] of logVerifierKeys(pinned.manifest)) logKeys.set(name, keys);
    },
    stop,
  };
}
