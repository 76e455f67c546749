/** Linkage at a node: answers letters as a key-holder where the manifest names it one, labels its own people, and does what is instructed. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { bytesToHex, ConcordatError } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import {
  type Correspondence,
  epochFolder,
  Holder,
  postOver,
  SealedFolder,
  startCorrespondence,
} from '#libs/linkage-party';
import type { SignedClient } from '#libs/nest-kit';
import {
  type LinkageBody,
  LinkageInstruction,
  type LinkagePartState,
  openEnvelope,
  processBoxKey,
} from '#libs/protocol';
import { decodeEntry, type Entry } from '#libs/tlog';
import type { Node } from '../node.js';
import type { FindLabelled } from './answer-linked.js';
import { Labelling } from './labelling.js';

export interface Linkage {
  /** What an epoch can be counted from. */
  readonly find: FindLabelled;
  stop(): Promise<void>;
}

/** The node's log; names of the epochs whose labels it says are erased go into `erased`. */
async function* entriesOf(node: Node, erased: Set<string>): AsyncIterable<Entry> {
  for await (const { bytes } of node.journal.entries()) {
    const entry = decodeEntry(bytes);
    if (entry.kind === 'linkage.labels-erased') erased.add(epochFolder(entry));
    yield entry;
  }
}

/** Opens the node's linkage folder `dir` and starts fetching its mail. */
export async function startLinkage(
  node: Node,
  client: SignedClient,
  dir: string,
): Promise<Linkage> {
  const folder = new SealedFolder(dir, node.box);
  if (node.box.hasFormer) await folder.reclose();
  node.box.forget(node.nowMs());
  let letters: Correspondence | undefined;
  const erased = new Set<string>();
  const holder = await Holder.open({
    me: node.agency.id,
    manifest: () => node.manifest,
    folder: folder.folder('shares'),
    entries: entriesOf(node, erased),
    append: node.append,
    ask: (to, body) => {
      if (!letters) throw new ConcordatError('not-yet', 'this process is still starting');
      return letters.ask(to, body);
    },
    random: node.random,
    nowMs: node.nowMs,
    pause: (ms) => pause(ms),
  });
  const labelling = await Labelling.open(node, folder, erased);
  const started = startCorrespondence({
    me: node.agency.id,
    box: node.box,
    boxKeyOf: (process) => processBoxKey(node.manifest, process),
    post: postOver(client),
    answer: async (from, body, id) => {
      if (body.kind !== 'instruction') return holder.answer(from, body, id);
      return { kind: 'parts', parts: await instructed(from, body) };
    },
    newId: () => bytesToHex(randomBytes(16)),
    log: node.logger,
  });

  async function instructed(
    from: string,
    { signed }: Extract<LinkageBody, { kind: 'instruction' }>,
  ): Promise<LinkagePartState[]> {
    const { coordinator } = node.manifest;
    if (from !== coordinator.id) {
      throw new ConcordatError('wrong-signer', 'only the coordinator passes instructions on');
    }
    const { action, project } = openEnvelope(
      'linkage',
      LinkageInstruction,
      signed,
      coordinator.publicKey,
      verifySignature,
    );
    const me = node.agency.id;
    const isHolder = project.holders.includes(me);
    const isSide = project.left === me || project.right === me;
    if (action === 'keygen' && isHolder) await holder.keygen(project);
    if (action === 'run' && isSide) await labelling.run(project, started);
    if (action === 'destroy') {
      if (isHolder) await holder.destroy(project);
      if (isSide) await labelling.erase(project);
    }
    return [
      ...(isHolder ? [holder.state(project)] : []),
      ...(isSide ? [labelling.state(project)] : []),
    ];
  }

  letters = started;
  labelling.resume(started);
  return {
    find: (linkage) => labelling.labelled(linkage),
    async stop() {
      const ended = Promise.all([labelling.stop(), holder.stop()]);
      await started.stop();
      await ended;
    },
  };
}
