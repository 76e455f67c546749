/** A node that asks a key-holder what it may not, and a key-holder that answers wrongly, with the keys of the process and over the relay. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fromHex, toBase64url } from '#libs/bytes';
import { blindBatch, decodeShare, syntheticLists } from '#libs/linkage';
import { type Correspondence, joinElements, SealedFolder } from '#libs/linkage-party';
import type { LinkageBody } from '#libs/protocol';
import { AUDITOR, eventually, seededRandom } from '#libs/testing';
import {
  COUNCIL,
  EPOCH,
  POLICE,
  RecordedLinkage,
  WITHIN_MS,
} from './recorded-linkage.fixture-spec.js';

const NIGHTLY = process.env.CONCORDAT_NIGHTLY === '1';

// fewer people would not reach the 28 bits that a key must have
const lists = syntheticLists(
  { both: 40, onlyLeft: 50, onlyRight: 50, dependence: 1 },
  seededRandom('attacks'),
);

let linkage: RecordedLinkage;
beforeAll(async () => {
  linkage = await RecordedLinkage.open(lists);
}, WITHIN_MS);
afterAll(() => linkage?.close());

describe('a hostile node', () => {
  let letters: Correspondence;
  const random = seededRandom('hostile node');
  const fresh = (count: number): string =>
    joinElements(
      blindBatch(
        Array.from({ length: count }, () => randomBytes(32)),
        random,
      ).elements,
    );
  let sequence = 1_000_000;
  /** Elements that the node may still ask of the auditor. */
  let spare = 0;
  const batch = (change: Partial<Extract<LinkageBody, { kind: 'batch' }>>): LinkageBody => ({
    kind: 'batch',
    project: 'harm',
    epoch: EPOCH,
    sequence: ++sequence,
    pair: [1, 2],
    elements: fresh(1),
    ...change,
  });
  const replayed = (): LinkageBody => {
    const sent = linkage
      .lettersTo(AUDITOR)
      .find(({ from, body }) => from === POLICE && body.kind === 'batch');
    if (!sent) throw new Error('a recorded batch');
    return sent.body;
  };
  const asBytes = (hex: string): string => toBase64url(fromHex(hex));

  beforeAll(async () => {
    await linkage.federation.stop(POLICE);
    letters = linkage.impostor(POLICE);
    for (const entry of await linkage.federation.entries(AUDITOR)) {
      if (entry.kind === 'linkage.batch' && entry.node === POLICE) spare = entry.quota - entry.used;
    }
    expect(spare).toBeGreaterThan(0);
  });
  afterAll(() => letters?.stop());

  it.each<[string, () => LinkageBody]>([
    ['identity-element', () => batch({ elements: asBytes('00'.repeat(32)) })],
    ['malformed-element', () => batch({ elements: asBytes(`ed${'ff'.repeat(30)}7f`) })],
    [
      'malformed-element',
      () =>
        batch({
          elements: asBytes('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
        }),
    ],
    ['bad-batch', () => batch({ elements: toBase64url(new Uint8Array(33)) })],
    ['bad-pair', () => batch({ pair: [2, 3] })],
    ['other-epoch', () => batch({ epoch: '2023-1' })],
    ['replayed-batch', replayed],
    ['replayed-batch', () => ({ ...replayed(), sequence: ++sequence }) as LinkageBody],
    ['quota-exhausted', () => batch({ elements: fresh(spare + 1) })],
  ])('is refused by a key-holder over the relay, and logged: %s %#', async (code, body) => {
    const said = body();
    const logged = (await linkage.federation.entries(AUDITOR)).length;
    await expect(letters.ask(AUDITOR, said, { timeoutMs: 240_000 })).rejects.toMatchObject({
      code,
    });
    await linkage.untilLogged(
      AUDITOR,
      (entry) =>
        entry.kind === 'linkage.batch' &&
        entry.code === code &&
        entry.node === POLICE &&
        said.kind === 'batch' &&
        entry.sequence === said.sequence,
    );
    expect((await linkage.federation.entries(AUDITOR)).length).toBeGreaterThan(logged);
  });

  it('guesses no more than the 5 % that are left of its quota', async () => {
    const said = await letters.ask(AUDITOR, batch({ elements: fresh(spare) }));
    expect(said.kind).toBe('evaluation');
    await expect(letters.ask(AUDITOR, batch({}))).rejects.toMatchObject({
      code: 'quota-exhausted',
    });
  });
});

describe('a hostile key-holder', () => {
  it(
    'whose proof is wrong is logged by the nodes and left out; the other two do the work',
    async () => {
      await linkage.federation.startNode(POLICE);
      await linkage.federation.untilConnected(POLICE);
      const next = await linkage.make('2024-2');
      await linkage.federation.stop(AUDITOR);
      const folder = new SealedFolder(
        join(linkage.federation.folder(AUDITOR), 'linkage'),
        linkage.boxOf(AUDITOR),
      );
      const stored = await folder.folder('shares').folder('harm.2024-2').read('share');
      const share = decodeShare(stored as Uint8Array);
      const liar = linkage.impostor(AUDITOR, (body): LinkageBody => {
        if (body.kind === 'ask-keys') {
          const [one, two, three] = share.sharePublicKeys.map(toBase64url) as [
            string,
            string,
            string,
          ];
          return {
            kind: 'keys',
            publicKey: toBase64url(share.publicKey),
            sharePublicKeys: [one, two, three],
          };
        }
        if (body.kind !== 'batch') return { kind: 'done' };
        // as if every person were the same: the elements come back unchanged, under a proof of nothing
        return {
          kind: 'evaluation',
          index: 1,
          evaluated: body.elements,
          proof: toBase64url(new Uint8Array(64)),
        };
      });
      const { tell } = next;
      try {
        // to the last label at night: here as far as the work goes on without the liar
        if (NIGHTLY) await next.until('run');
        else await tell('run');
        for (const node of [POLICE, COUNCIL]) {
          await linkage.untilLogged(
            node,
            (entry) =>
              entry.kind === 'linkage.answer-refused' &&
              entry.holder === AUDITOR &&
              entry.code === 'bad-proof',
          );
        }
        await eventually(async () => {
          const { parts } = await tell('status');
          const done = parts.flatMap(({ parts: roles }) =>
            roles.flatMap((part) => (part.role === 'node' ? [part.done] : [])),
          );
          expect(done).toHaveLength(2);
          for (const labelled of done) expect(labelled).toBeGreaterThan(0);
        }, 240_000);
      } finally {
        await liar.stop();
      }
      for (const holder of [POLICE, COUNCIL]) {
        const used = (await linkage.federation.entries(holder)).filter(
          (entry) =>
            entry.kind === 'linkage.batch' && entry.epoch === '2024-2' && entry.code === undefined,
        );
        expect(used.length).toBeGreaterThan(0);
      }
    },
    WITHIN_MS,
  );
});
