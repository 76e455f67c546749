import { randomBytes } from 'node:crypto';
import { bytesToHex, ConcordatError, isConcordatError } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import { checkProject, epochFolder, startCorrespondence } from '#libs/linkage-party';
import {
  LinkageInstruction,
  type LinkageProject,
  type LinkageStatus,
  linkageProjectDigest,
  openEnvelope,
  processBoxKey,
  type SignedLinkageInstruction,
} from '#libs/protocol';
import { decodeEntry } from '#libs/tlog';
import type { Coordinator } from '../coordinator.js';
import { MailRelay } from './mail-relay.js';

/** How old an instruction may be, and how long a process has to answer one. */
const MAX_AGE_MS = 10 * 60_000;
const ANSWER_WITHIN_MS = 8_000;

/** What `init`, `keygen`, `run`, `status` and `destroy` of one project reach. */
function concerned(action: LinkageInstruction['action'], project: LinkageProject): string[] {
  const nodes = [project.left, project.right];
  if (action === 'init') return [];
  if (action === 'keygen') return [...project.holders];
  if (action === 'run') return nodes;
  return [...new Set([...project.holders, ...nodes])];
}

/**
 * The coordinator's part of linkage besides counting: relays boxes, logs projects, and passes on what its operator signed. It holds no
 * share, and what processes do they log themselves.
 */
export class LinkageService {
  /** Digests of the projects in the log, by epoch. */
  private readonly projects = new Map<string, string>();
  readonly relay: MailRelay;
  private readonly letters: ReturnType<typeof startCorrespondence>;

  private constructor(private readonly coordinator: Coordinator) {
    const { config, logger, box } = coordinator;
    const relay = new MailRelay(() => coordinator.federation, coordinator.nowMs());
    this.relay = relay;
    this.letters = startCorrespondence({
      me: config.id,
      box,
      boxKeyOf: (process) => processBoxKey(coordinator.federation.manifest, process),
      post: {
        send: async (to, sealed) => relay.put(config.id, to, sealed),
        receive: (sequence, signal) => relay.after(config.id, sequence, ANSWER_WITHIN_MS, signal),
      },
      answer: async () => {
        throw new ConcordatError('malformed-message', 'the coordinator answers no letters');
      },
      newId: () => bytesToHex(randomBytes(16)),
      log: logger,
    });
  }

  /** Replays the log for the projects that were set up. */
  static async open(coordinator: Coordinator): Promise<LinkageService> {
    const service = new LinkageService(coordinator);
    for await (const { bytes } of coordinator.journal.entries()) {
      const entry = decodeEntry(bytes);
      if (entry.kind === 'linkage.project') {
        service.projects.set(epochFolder(entry), entry.projectDigest);
      }
    }
    return service;
  }

  /** Whether an epoch was set up by `init`. */
  knows(name: { readonly project: string; readonly epoch: string }): boolean {
    return this.projects.has(epochFolder(name));
  }

  /**
   * Checks, logs and passes on an instruction, and tells what every process concerned said. Throws `wrong-signer`, `bad-signature`,
   * `stale-instruction`, `unknown-project`, `other-project` and what `checkProject` throws.
   */
  async instruct(signed: SignedLinkageInstruction): Promise<LinkageStatus> {
    const { key, nowMs } = this.coordinator;
    const { action, project, at } = openEnvelope(
      'linkage',
      LinkageInstruction,
      signed,
      key.publicKey,
      verifySignature,
    );
    if (Math.abs(nowMs() - Date.parse(at)) > MAX_AGE_MS) {
      throw new ConcordatError('stale-instruction', 'give the instruction again: it is too old');
    }
    await this.known(project, action === 'init');
    const parts = await Promise.all(
      concerned(action, project).map(async (process) => {
        try {
          const said = await this.letters.ask(
            process,
            { kind: 'instruction', signed },
            { timeoutMs: ANSWER_WITHIN_MS },
          );
          return { process, parts: said.kind === 'parts' ? said.parts : [], code: null };
        } catch (error) {
          if (!isConcordatError(error)) throw error;
          return { process, parts: [], code: error.code };
        }
      }),
    );
    return { project, parts };
  }

  async stop(): Promise<void> {
    this.relay.close();
    await this.letters.stop();
  }

  private async known(project: LinkageProject, begin: boolean): Promise<void> {
    const name = epochFolder(project);
    const digest = linkageProjectDigest(project);
    const before = this.projects.get(name);
    if (before === digest) return;
    if (before !== undefined) {
      throw new ConcordatError(
        'other-project',
        'this epoch was begun with other agencies or holders',
      );
    }
    if (!begin) {
      throw new ConcordatError(
        'unknown-project',
        'set the project up first: concordat linkage init',
      );
    }
    checkProject(project, this.coordinator.federation.manifest);
    this.projects.set(name, digest);
    const { append, nowMs, config } = this.coordinator;
    await append({
      kind: 'linkage.project',
      at: new Date(nowMs()).toISOString(),
      actor: config.id,
      project: project.project,
      epoch: project.epoch,
      projectDigest: digest,
      holders: project.holders,
      left: project.left,
      right: project.right,
    });
  }
}
