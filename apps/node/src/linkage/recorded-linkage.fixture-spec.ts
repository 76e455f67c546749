/** Linkage between processes whose every request to the coordinator is recorded, so that letters can be opened with their readers' keys. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fromBase64url, parseCanonicalJson } from '#libs/bytes';
import { type BoxKey, loadBoxKey, loadSigningKey, verifySignature } from '#libs/keystore';
import type { SyntheticRecord } from '#libs/linkage';
import { type Correspondence, postOver, startCorrespondence } from '#libs/linkage-party';
import { SignedClient } from '#libs/nest-kit';
import { type LinkageBody, LinkageLetter, LinkagePost, processBoxKey } from '#libs/protocol';
import {
  AUDITOR,
  eventually,
  Federation,
  type LinkageOperator,
  linkageOperator,
  type RecordedRequest,
  RecordingProxy,
} from '#libs/testing';
import { agenciesKnowing } from './people-file.fixture-spec.js';

export const POLICE = 'test-police';
export const COUNCIL = 'test-council';
export const EPOCH = '2024-1';
export const WITHIN_MS = 500_000;
const HOLDERS = [AUDITOR, POLICE, COUNCIL] as const;

interface Lists {
  readonly left: readonly SyntheticRecord[];
  readonly right: readonly SyntheticRecord[];
}
type Entry = Awaited<ReturnType<Federation['entries']>>[number];

/** Everything sent through a proxy, read between two requests. */
async function requestsOf(proxy: RecordingProxy): Promise<readonly RecordedRequest[]> {
  for (;;) {
    try {
      return proxy.requests();
    } catch {
      await pause(100);
    }
  }
}

/** A police force (left) and a council (right), both key-holders beside the auditor, of the project `harm`. */
export class RecordedLinkage {
  /** What each process had sent when `record` was last called. */
  private readonly recorded = new Map<string, readonly RecordedRequest[]>();

  private constructor(
    readonly federation: Federation,
    private readonly proxies: ReadonlyMap<string, RecordingProxy>,
  ) {}

  /** Starts every process and labels the people of `lists` in `EPOCH`. */
  static async open(lists: Lists): Promise<RecordedLinkage> {
    const federation = await Federation.open({
      agencies: agenciesKnowing(lists, POLICE, COUNCIL),
      limits: { rhoPerQuery: '2', rhoPerYear: '8', measures: ['incidents', 'linked-people'] },
      keyHolders: [...HOLDERS],
      roundDeadlineSeconds: 300,
      serve: false,
    });
    const proxies = new Map<string, RecordingProxy>();
    const linkage = new RecordedLinkage(federation, proxies);
    try {
      await federation.startCoordinator();
      for (const process of HOLDERS) {
        proxies.set(process, await RecordingProxy.open(federation.url));
      }
      const through = (process: string): string => proxies.get(process)?.url ?? '';
      await federation.startAuditor(through(AUDITOR));
      for (const node of [POLICE, COUNCIL]) await federation.startNode(node, through(node));
      for (const node of [POLICE, COUNCIL]) await federation.untilConnected(node);
      const operator = await linkage.make(EPOCH);
      await operator.until('run');
      await linkage.record();
    } catch (error) {
      await linkage.close();
      throw error;
    }
    return linkage;
  }

  /** Opens an epoch and makes its keys. */
  async make(epoch: string): Promise<LinkageOperator> {
    const project = { project: 'harm', epoch, left: POLICE, right: COUNCIL };
    const operator = await linkageOperator(this.federation, project);
    await operator.tell('init');
    await operator.until('keygen');
    return operator;
  }

  /** Keeps what was sent up to now. */
  async record(): Promise<void> {
    for (const [sender, proxy] of this.proxies) this.recorded.set(sender, await requestsOf(proxy));
  }

  boxOf(process: string): BoxKey {
    return loadBoxKey(join(this.federation.folder(process), 'keys', 'box.pem'));
  }

  keyOf(process: string): string {
    return processBoxKey(this.federation.manifest, process) ?? '';
  }

  /** Every letter that processes sent, opened by its reader. */
  lettersTo(reader: string): LinkageLetter[] {
    const box = this.boxOf(reader);
    return [...this.recorded].flatMap(([sender, requests]) =>
      requests.flatMap(({ method, path, body }) => {
        if (method !== 'POST' || path !== '/v1/linkage/mail') return [];
        const post = LinkagePost.parse(parseCanonicalJson(body));
        if (post.to !== reader) return [];
        const opened = box.open(fromBase64url(post.box), this.keyOf(sender));
        return [LinkageLetter.parse(parseCanonicalJson(opened))];
      }),
    );
  }

  /** Waits until the log of a process, as published, holds an entry. */
  untilLogged(process: string, holds: (entry: Entry) => boolean): Promise<void> {
    return eventually(async () => {
      if (!(await this.federation.entries(process)).some(holds))
        throw new Error(`the log of ${process} does not say so`);
    });
  }

  /** Somebody with the keys of a process, who says what they like. */
  impostor(
    process: string,
    answer: (body: LinkageBody) => LinkageBody = () => ({ kind: 'refused', code: 'not-yet' }),
  ): Correspondence {
    const { federation } = this;
    const client = new SignedClient({
      url: federation.url,
      id: process,
      key: loadSigningKey(join(federation.folder(process), 'keys', 'signing.pem')),
      server: () => federation.manifest.coordinator.publicKey,
      verify: verifySignature,
      nowMs: () => federation.nowMs,
    });
    return startCorrespondence({
      me: process,
      box: this.boxOf(process),
      boxKeyOf: (other) => this.keyOf(other),
      post: postOver(client),
      answer: async (_from, body) => answer(body),
      newId: () => randomBytes(16).toString('hex'),
      log: { warn: () => undefined },
    });
  }

  async close(): Promise<void> {
    await this.federation.close();
    for (const proxy of this.proxies.values()) await proxy.close();
  }
}
