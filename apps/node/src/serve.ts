import { setTimeout as pause } from 'node:timers/promises';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import { verifySignature } from '#libs/keystore';
import {
  createHttpApp,
  type Logger,
  listen,
  type ManifestFollower,
  newToken,
  notePoster,
  type RunningProcess,
  removeControl,
  SignedClient,
  serveOperations,
  startManifestFollower,
  stopInOrder,
  writeControl,
} from '#libs/nest-kit';
import { seal } from '#libs/protocol';
import { appModule } from './app.module.js';
import { coordinatorOf, nodePaths } from './config.js';
import { CoordinatorClient } from './coordinator-client.js';
import { DoneRounds } from './done-rounds.js';
import { giveUpTask, handleTask } from './handle-task.js';
import { heldVersion } from './held-version.js';
import { type InboxLoop, startInboxLoop } from './inbox-loop.js';
import { type Linkage, startLinkage } from './linkage/linkage.js';
import type { Node } from './node.js';
import { openNode } from './open-node.js';
import { nodeOperations } from './operations.js';
import { expireRequests } from './requests/decide-request.js';
import { takeManifest } from './take-manifest.js';
import { turnKeys } from './turn-key.js';
import { startWitnessing, type Witnessing } from './witnessing.js';

/** How often requests whose time is over are looked for. */
const EXPIRY_SWEEP_MS = 5_000;
/** How long a start waits for the witnesses' word, so that an old copy of a folder is refused at once. */
const WITNESSES_WITHIN_MS = 1_000;
/** How soon a sealed answer is sent again after the auditor was out of reach, spread by half. */
const AUDITOR_RETRY_MS = 2_000;

/** Tells the coordinator which months and weeks this node holds. */
async function announce(node: Node, client: CoordinatorClient): Promise<void> {
  const { months = [], weeks = [] } =
    (await heldVersion(node.records, node.config.dataset.name)) ?? {};
  const offer = {
    agency: node.agency.id,
    manifest: node.manifestHash,
    dataset: node.config.dataset.name,
    months: [...months],
    ...(weeks.length > 0 ? { weeks: [...weeks] } : {}),
    at: new Date(node.nowMs()).toISOString(),
  };
  await client.post('/v1/offers', seal('offer', offer, node.key));
}

/** The auditor as this node reaches it. */
const clientOf = (node: Node, url: string): SignedClient =>
  new SignedClient({
    url,
    id: node.agency.id,
    key: node.key,
    server: () => node.manifest.auditor.publicKey,
    verify: verifySignature,
    nowMs: node.nowMs,
  });

export interface NodeOptions {
  /** Instead of the address in the settings. */
  readonly coordinatorUrl: string | undefined;
  readonly auditorUrl?: string | undefined;
  readonly nowMs: () => number;
  /** In [0, 1): spreads reconnections, so that nodes do not return in step. */
  readonly jitter: () => number;
  readonly random?: RandomSource;
  readonly logger?: Logger;
}

/** Opens the folder, dials the coordinator, answers until stopped. */
export async function serveNode(dir: string, options: NodeOptions): Promise<RunningProcess> {
  const node = await openNode(dir, options);
  let witnessing: Witnessing | undefined;
  let loop: InboxLoop | undefined;
  let linkage: Linkage | undefined;
  let follower: ManifestFollower | undefined;
  try {
    const url = options.coordinatorUrl ?? coordinatorOf(node.config).url;
    const http = new SignedClient({
      url,
      id: node.agency.id,
      key: node.key,
      server: () => node.manifest.coordinator.publicKey,
      verify: verifySignature,
      nowMs: node.nowMs,
    });
    const auditor = node.auditorUrl === undefined ? undefined : clientOf(node, node.auditorUrl);
    const client = new CoordinatorClient(http);
    const postNote = (note: string): Promise<void> =>
      client.post('/v1/checkpoints', { origin: node.logOrigin, note });
    // the coordinator being away is the inbox loop's concern; the next note comes with the next connection
    const showNote = notePoster(postNote);
    witnessing = await startWitnessing(node, http, nodePaths(dir).witnessed, showNote);
    const { log } = witnessing;
    const { followManifest } = witnessing;
    const paths = nodePaths(dir);
    const following = startManifestFollower({
      url,
      serial: () => node.manifest.serial,
      take: async (step) => {
        await takeManifest(step, node, paths);
        followManifest();
      },
      logger: node.logger,
    });
    follower = following;
    await Promise.race([log.untilVouched(), pause(WITNESSES_WITHIN_MS)]);
    const linking = await startLinkage(node, http, nodePaths(dir).linkage);
    linkage = linking;
    const done = new DoneRounds();
    let again: NodeJS.Timeout | undefined;
    const inbox = startInboxLoop({
      client,
      logger: node.logger,
      nowMs: node.nowMs,
      random: options.jitter,
      onConnect: async () => {
        await log.untilVouched();
        await announce(node, client);
        await postNote(await log.checkpoint());
      },
      handle: async (task) => {
        const { round } = task.payload;
        if (done.has(round)) return;
        await log.untilVouched();
        // opened under a manifest that is on its way here
        if (!node.pinned.named(task.payload.manifest)) await following.catchUp();
        try {
          if (await handleTask(task, node, client, auditor, linking.find)) done.add(round);
        } catch (error) {
          if (!isConcordatError(error, 'auditor-unreachable')) throw error;
          // other rounds go on meanwhile; this one's task stays in the inbox
          node.logger.warn({ round, err: error }, 'no contact with the auditor; trying again');
          again ??= setTimeout(
            () => {
              again = undefined;
              inbox.reread();
            },
            AUDITOR_RETRY_MS * (0.5 + options.jitter()),
          );
        }
        await log.publish();
      },
      giveUp: async (task) => {
        await giveUpTask(task, node, client);
        done.add(task.payload.round);
      },
    });
    loop = inbox;
    const token = newToken();
    const contact = {
      lastContactMs: () => inbox.lastContactMs(),
      clockSkewSeconds: () => http.skewSeconds,
      logRefusal: () => log.refusal,
    };
    const turn = async () => {
      const before = node.key.publicKey;
      // a rotation names the manifest in force
      await following.catchUp();
      await turnKeys(node, client);
      await following.catchUp();
      const { publicKey } = node.key;
      if (publicKey === before) {
        throw new ConcordatError('not-yet', 'the new manifest has not arrived; look again later');
      }
      return { publicKey, boxKey: node.box.publicKey, serial: node.manifest.serial };
    };
    const desk = { token, onDecision: () => inbox.reread() };
    const app = await createHttpApp(appModule(node, contact, desk, { token, turn }), node.logger);
    serveOperations(app, nodeOperations(node, contact));
    const bound = await listen(app, node.config.listen.host, node.config.listen.port);
    writeControl(paths.control, { url: bound, token });
    const expire = setInterval(() => {
      expireRequests(node).then(
        (count) => count > 0 && inbox.reread(),
        (error: unknown) => node.logger.error({ err: error }, 'cannot log expired requests'),
      );
    }, EXPIRY_SWEEP_MS);
    return {
      url: bound,
      // the control file first: once the lock is free, it is another process's
      stop: () =>
        stopInOrder(node.logger, [
          () => clearInterval(expire),
          () => clearTimeout(again),
          () => removeControl(paths.control),
          () => log.abandon(),
          () => inbox.stop(),
          () => linking.stop(),
          () => following.stop(),
          () => app.close(),
          () => witnessing?.stop(),
          () => node.close(),
        ]),
    };
  } catch (error) {
    await loop?.stop();
    await linkage?.stop();
    await follower?.stop();
    await witnessing?.stop();
    await node.close();
    throw error;
  }
}
