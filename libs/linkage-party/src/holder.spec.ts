/** Three key-holders and a node over a relay in memory that loses a third of its boxes: what they agree on, refuse and log. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bytesToHex, ConcordatError, fromBase64url, toBase64url, utf8ToBytes } from '#libs/bytes';
import { type BoxKey, createBoxKey } from '#libs/keystore';
import { type BatchResponse, blindBatch, finishBatch } from '#libs/linkage';
import type { LinkageBody, LinkageMail, LinkageProject, Manifest } from '#libs/protocol';
import { manifestHash } from '#libs/protocol';
import { eventually, seededRandom } from '#libs/testing';
import type { Entry } from '#libs/tlog';
import {
  type Correspondence,
  Holder,
  joinElements,
  type Post,
  SealedFolder,
  splitElements,
  startCorrespondence,
} from './index.js';

/** The parties compute in one process, which other work may keep waiting. */
const WITHIN_MS = 240_000;
const NAMES = ['alpha', 'beta', 'gamma', 'delta'] as const;
type Name = (typeof NAMES)[number];
const HOLDERS: [string, string, string] = ['alpha', 'beta', 'gamma'];

const dir = mkdtempSync(join(tmpdir(), 'concordat-holders-'));
const boxes = new Map<string, BoxKey>();
const mail = new Map<string, LinkageMail['items'][number][]>();
let sequence = 0;
/** Loses a third of the boxes and delivers a quarter twice, by chance: a regular loss could take the same letter each time. */
const luck = seededRandom('relay');
const chance = (probability: number): boolean => {
  const word = new Uint32Array(1);
  luck.fillWords(word);
  return (word[0] as number) < probability * 2 ** 32;
};
const postOf = (me: string): Post => ({
  async send(to, box) {
    if (chance(1 / 3)) return;
    const items = mail.get(to) ?? [];
    mail.set(to, items);
    const copies = chance(1 / 4) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      items.push({ sequence: ++sequence, from: me, box });
    }
  },
  async receive(after, signal) {
    for (;;) {
      const items = (mail.get(me) ?? []).filter((item) => item.sequence > after);
      if (items.length > 0 || signal.aborted) return { items };
      await pause(10, undefined, { signal }).catch(() => undefined);
    }
  },
});

interface Party {
  readonly holder: Holder;
  readonly letters: Correspondence;
  readonly entries: Entry[];
}
const parties = new Map<string, Party>();
/** Whether logs take entries. */
let isDiskGone = false;
const logs = new Map<string, Entry[]>();
let manifest: Manifest;
let project: LinkageProject;

async function* past(entries: readonly Entry[]): AsyncIterable<Entry> {
  yield* entries;
}

async function start(me: Name): Promise<Party> {
  const entries = logs.get(me) ?? [];
  logs.set(me, entries);
  const box = boxes.get(me) as BoxKey;
  let letters: Correspondence | undefined;
  const holder = await Holder.open({
    me,
    manifest: () => manifest,
    folder: new SealedFolder(join(dir, me), box),
    entries: past([...entries]),
    append: async (entry) => {
      if (isDiskGone) throw new ConcordatError('log-unavailable', 'the disk is gone');
      return entries.push(entry);
    },
    ask: (to, body) => {
      if (!letters) throw new ConcordatError('not-yet', 'this process is still starting');
      return letters.ask(to, body);
    },
    random: seededRandom(`holder ${me} ${entries.length}`),
    nowMs: () => Date.parse('2026-01-05T10:00:00Z'),
    pause: (ms) => pause(ms / 10),
  });
  letters = startCorrespondence({
    me,
    box,
    boxKeyOf: (id) => boxes.get(id)?.publicKey,
    post: postOf(me),
    answer: (from, body, id) => holder.answer(from, body, id),
    newId: () => bytesToHex(new Uint8Array(randomBytes(16))),
    log: { warn: () => undefined },
    resendMs: 40,
  });
  const party = { holder, letters, entries };
  parties.set(me, party);
  return party;
}

const stop = async (me: Name): Promise<void> => {
  const party = parties.get(me);
  const ended = party?.holder.stop();
  await party?.letters.stop();
  await ended;
};
const of = (me: string): Party => parties.get(me) as Party;
const ask = (to: string, body: LinkageBody, id?: string): Promise<LinkageBody> =>
  of('delta').letters.ask(to, body, id === undefined ? {} : { id });

beforeAll(async () => {
  for (const name of NAMES) boxes.set(name, createBoxKey(join(dir, `${name}.pem`)));
  const process = (id: string) => ({ id, publicKey: id, boxKey: boxes.get(id)?.publicKey ?? '' });
  manifest = {
    auditor: process('alpha'),
    agencies: NAMES.slice(1).map(process),
    keyHolders: HOLDERS,
  } as unknown as Manifest;
  project = {
    version: 1,
    project: 'p',
    epoch: 'e',
    manifest: manifestHash(manifest),
    holders: HOLDERS,
    left: 'beta',
    right: 'delta',
  };
  for (const name of NAMES) await start(name);
});
afterAll(async () => {
  for (const name of NAMES) await stop(name);
  rmSync(dir, { recursive: true });
});

const inputs = Array.from({ length: 5 }, (_, i) => utf8ToBytes(`mk/v1 somebody ${i}`));
const batch = blindBatch(inputs, seededRandom('blinds'));
const request = (change: Partial<Extract<LinkageBody, { kind: 'batch' }>> = {}): LinkageBody => ({
  kind: 'batch',
  project: 'p',
  epoch: 'e',
  sequence: 1,
  pair: [1, 2],
  elements: joinElements(batch.elements),
  ...change,
});
const ID = 'ab'.repeat(16);

describe('key-holders over a relay that loses and repeats', () => {
  it('make one key, one of them restarted in between, and log their shares', async () => {
    for (const name of HOLDERS) await of(name).holder.keygen(project);
    await stop('beta');
    await start('beta');
    await eventually(
      () =>
        expect(HOLDERS.map((name) => of(name).holder.state(project).state)).toEqual(
          HOLDERS.map(() => 'holds-share'),
        ),
      WITHIN_MS,
    );
    const keys = HOLDERS.map((name) => of(name).holder.state(project).publicKey);
    expect(new Set(keys).size).toBe(1);
    for (const name of HOLDERS) {
      expect(logs.get(name)?.map(({ kind }) => kind)).toEqual(['linkage.share-made']);
    }
  });

  it('answer nobody who declared nothing, log it, and take a declaration once', async () => {
    await expect(ask('alpha', request())).rejects.toMatchObject({ code: 'unknown-node' });
    expect(logs.get('alpha')?.at(-1)).toMatchObject({
      kind: 'linkage.batch',
      node: 'delta',
      code: 'unknown-node',
    });
    const declared = {
      kind: 'declaration',
      project: 'p',
      epoch: 'e',
      people: 11,
      keys: 1,
    } as const;
    for (const name of ['alpha', 'beta']) {
      expect(await ask(name, declared)).toEqual({ kind: 'done' });
      expect(await ask(name, declared)).toEqual({ kind: 'done' });
    }
    await expect(ask('alpha', { ...declared, people: 99 })).rejects.toMatchObject({
      code: 'already-declared',
    });
  });

  it('evaluate a batch under the key, and give a repeated letter its answer again, even after a restart', async () => {
    const answers = await Promise.all(['alpha', 'beta'].map((name) => ask(name, request(), ID)));
    const [one, two] = answers.map((said): BatchResponse => {
      if (said.kind !== 'evaluation') throw new Error(said.kind);
      return {
        index: said.index,
        evaluated: splitElements(said.evaluated),
        proof: fromBase64url(said.proof),
      };
    });
    const keys = await ask('gamma', { kind: 'ask-keys', project: 'p', epoch: 'e' });
    if (keys.kind !== 'keys') throw new Error(keys.kind);
    const [a, b, c] = keys.sharePublicKeys.map(fromBase64url) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const outputs = finishBatch(batch, [1, 2], [one as BatchResponse, two as BatchResponse], {
      context: { project: 'p', epoch: 'e', holders: HOLDERS },
      publicKey: fromBase64url(keys.publicKey),
      sharePublicKeys: [a, b, c],
    });
    expect(new Set(outputs.map(bytesToHex)).size).toBe(5);
    await stop('alpha');
    await start('alpha');
    expect(await ask('alpha', request(), ID)).toEqual(answers[0]);
    const evaluated = logs.get('alpha')?.filter((e) => e.kind === 'linkage.batch' && !e.code);
    expect(evaluated).toHaveLength(1);
  });

  it('evaluate a batch once though a kill came between answer and log entry: it is logged when its letter comes again', async () => {
    const more = blindBatch([utf8ToBytes('mk/v1 somebody else')], seededRandom('once'));
    const body = request({ sequence: 2, elements: joinElements(more.elements) });
    isDiskGone = true;
    await expect(ask('alpha', body, 'cd'.repeat(16))).rejects.toMatchObject({
      code: 'log-unavailable',
    });
    isDiskGone = false;
    const logged = () => logs.get('alpha')?.filter((e) => e.kind === 'linkage.batch' && !e.code);
    expect(logged()).toHaveLength(1);
    await stop('alpha');
    await start('alpha');
    const first = await ask('alpha', body, 'cd'.repeat(16));
    expect(await ask('alpha', body, 'cd'.repeat(16))).toEqual(first);
    expect(logged()).toMatchObject([{ used: 5 }, { used: 6, sequence: 2 }]);
  });

  it.each<[string, LinkageBody]>([
    ['replayed-batch', request()],
    ['replayed-batch', request({ sequence: 2 })],
    ['bad-pair', request({ sequence: 3, pair: [2, 3] })],
    ['bad-pair', request({ sequence: 3, pair: [2, 1] })],
    ['other-epoch', request({ sequence: 3, epoch: 'f' })],
    ['bad-batch', request({ sequence: 3, elements: toBase64url(new Uint8Array(33)) })],
    ['identity-element', request({ sequence: 3, elements: toBase64url(new Uint8Array(32)) })],
    [
      'malformed-element',
      request({ sequence: 3, elements: toBase64url(new Uint8Array(32).fill(255)) }),
    ],
    [
      'quota-exhausted',
      request({
        sequence: 3,
        elements: joinElements(blindBatch([...inputs, ...inputs], seededRandom('more')).elements),
      }),
    ],
  ])('refuse with a code and a log entry: %s', async (code, body) => {
    await expect(ask('alpha', body)).rejects.toMatchObject({ code });
    expect(logs.get('alpha')?.at(-1)).toMatchObject({ kind: 'linkage.batch', code });
  });

  it('end an epoch for good: logged, erased, and told to who asks', async () => {
    for (const name of HOLDERS) await of(name).holder.destroy(project);
    await stop('alpha');
    await start('alpha');
    expect(of('alpha').holder.state(project).state).toBe('destroyed');
    expect(
      logs.get('alpha')?.filter(({ kind }) => kind === 'linkage.share-destroyed'),
    ).toHaveLength(1);
    await expect(ask('alpha', request({ sequence: 9 }))).rejects.toMatchObject({
      code: 'share-destroyed',
    });
    await expect(of('beta').holder.keygen(project)).rejects.toMatchObject({
      code: 'share-destroyed',
    });
    const folder = new SealedFolder(join(dir, 'alpha'), boxes.get('alpha') as BoxKey).folder('p.e');
    for (const file of ['share', 'key-making', 'answer-delta']) {
      expect(await folder.read(file)).toBeUndefined();
    }
  });

  it('cannot be read with another key', async () => {
    const stranger = new SealedFolder(join(dir, 'alpha'), boxes.get('beta') as BoxKey);
    await expect(stranger.folder('p.e').read('project')).rejects.toMatchObject({ code: 'bad-box' });
  });
});
