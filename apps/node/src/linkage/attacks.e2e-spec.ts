/**
 * A whole run of linkage between processes, recorded: what each party received, stored and logged, opened with its own keys. An attacker
 * with that view and a dictionary that holds every person recovers nobody; the same attack recovers everybody from SHA-256 and leaked-HMAC
 * pseudonyms, and from what two key-holders, a node and the counter have together. Then a hostile node and a hostile key-holder.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bytesToHex, fromBase64url, fromHex, parseCanonicalJson, toBase64url } from '#libs/bytes';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { type BoxKey, loadBoxKey, loadSigningKey, verifySignature } from '#libs/keystore';
import {
  blind,
  blindBatch,
  blindEvaluate,
  countMatchKey,
  decodeShare,
  evaluateElements,
  finalize,
  type HolderPair,
  type KeyShare,
  makeLabels,
  matchKeyInput,
  type SyntheticRecord,
  standardise,
  syntheticLists,
  unblindBatch,
} from '#libs/linkage';
import {
  type Correspondence,
  joinElements,
  postOver,
  SealedFolder,
  splitElements,
  startCorrespondence,
} from '#libs/linkage-party';
import { SignedClient } from '#libs/nest-kit';
import {
  type LinkageBody,
  LinkageLetter,
  LinkagePost,
  LinkedAnswer,
  LinkedSet,
  processBoxKey,
} from '#libs/protocol';
import {
  AUDITOR,
  COORDINATOR,
  Federation,
  type LinkageOperator,
  linkageOperator,
  type RecordedRequest,
  RecordingProxy,
  seededRandom,
  streetFile,
} from '#libs/testing';

const POLICE = 'test-police';
const COUNCIL = 'test-council';
const HOLDERS = [AUDITOR, POLICE, COUNCIL] as const;
const EPOCH = '2024-1';
const WITHIN_MS = 500_000;
const KEY = countMatchKey('FSDL');

const lists = syntheticLists(
  { both: 40, onlyLeft: 50, onlyRight: 50, dependence: 1 },
  seededRandom('attacks'),
);
const FIELDS = ['forename', 'surname', 'dateOfBirth', 'street', 'town', 'postcode'] as const;
const csvOf = (records: readonly SyntheticRecord[]): string =>
  [
    'person_id,category,month,given_name,surname,date_of_birth,address_1,suburb,postcode',
    ...records.map(({ person, record }) =>
      [person, 'asb', '2024-03', ...FIELDS.map((field) => record[field] ?? '')].join(','),
    ),
  ].join('\n');

const inputsOf = (records: readonly SyntheticRecord[], key = KEY): Uint8Array[] => {
  const inputs = records.flatMap(({ record }) => {
    const context = { project: 'harm', epoch: EPOCH };
    return matchKeyInput(key, standardise(record), context) ?? [];
  });
  return [...new Map(inputs.map((input) => [bytesToHex(input), input])).values()];
};
const everyLeft = inputsOf(lists.left);
const everyRight = inputsOf(lists.right);
const texts = (inputs: readonly Uint8Array[]): Set<string> => new Set(inputs.map(bytesToHex));
const without = (inputs: readonly Uint8Array[], others: readonly Uint8Array[]): Uint8Array[] => {
  const known = texts(others);
  return inputs.filter((input) => !known.has(bytesToHex(input)));
};
/** People that one node's agency does not know itself. */
const onlyLeft = without(everyLeft, everyRight);
const onlyRight = without(everyRight, everyLeft);
const everyone = [...everyLeft, ...onlyRight];

let federation: Federation;
let operator: LinkageOperator;
let fingerprint = '';
const proxies = new Map<string, RecordingProxy>();
/** What each process had sent when the count was released. */
const recorded = new Map<string, readonly RecordedRequest[]>();

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

const boxOf = (process: string): BoxKey =>
  loadBoxKey(join(federation.folder(process), 'keys', 'box.pem'));
const keyOf = (process: string): string => processBoxKey(federation.manifest, process) ?? '';

/** Every letter that processes sent, opened by its reader. */
function lettersTo(reader: string): LinkageLetter[] {
  const box = boxOf(reader);
  return [...recorded].flatMap(([sender, requests]) =>
    requests.flatMap(({ method, path, body }) => {
      if (method !== 'POST' || path !== '/v1/linkage/mail') return [];
      const post = LinkagePost.parse(parseCanonicalJson(body));
      if (post.to !== reader) return [];
      const opened = box.open(fromBase64url(post.box), keyOf(sender));
      return [LinkageLetter.parse(parseCanonicalJson(opened))];
    }),
  );
}

/** What a party has: all bytes that it received, stored and logged, and what can be computed with. */
interface View {
  /** Elements, digests, labels and every other value of 8, 32 or 64 bytes, in hex. */
  readonly seen: Set<string>;
  /** Scalars: shares and parts of shares. */
  readonly scalars: Uint8Array[];
  /** Anything that an HMAC or a relabelling could be keyed with. */
  readonly secrets: Uint8Array[];
  readonly shares: KeyShare[];
}

const TOKENS = /[A-Za-z0-9_-]{11,}/g;
function takeText(view: View, text: string): void {
  for (const [token] of text.matchAll(TOKENS)) {
    if (/^[0-9a-f]{16}$|^[0-9a-f]{64}$|^[0-9a-f]{128}$/.test(token)) view.seen.add(token);
    if (token.length === 43 || token.length === 86) {
      try {
        view.seen.add(bytesToHex(fromBase64url(token)));
      } catch {
        // no value
      }
    }
  }
}

const sealedFiles = (process: string): string[] =>
  federation.filesOf(process).filter((path) => /\/linkage\/shares\/.+\/[^/]+$/.test(path));

/** Label sets of both answers, as the counter opens them. */
function labelSets(): LinkedSet[] {
  const box = boxOf(COORDINATOR);
  return [POLICE, COUNCIL].flatMap((node) =>
    federation
      .filesOf(node)
      .filter((path) => path.includes('/blobs/'))
      .flatMap((path) => {
        let answer: ReturnType<typeof LinkedAnswer.safeParse>;
        try {
          answer = LinkedAnswer.safeParse(parseCanonicalJson(readFileSync(path)));
        } catch {
          return [];
        }
        return (answer.data?.boxes ?? []).map((text) =>
          LinkedSet.parse(parseCanonicalJson(box.open(fromBase64url(text), keyOf(node)))),
        );
      }),
  );
}
const labelsIn = ({ labels }: LinkedSet): string[] => {
  const hex = bytesToHex(fromBase64url(labels));
  return hex.match(/.{16}/g) ?? [];
};

async function viewOf(...processes: string[]): Promise<View> {
  const view: View = { seen: new Set(), scalars: [], secrets: [], shares: [] };
  for (const process of processes) {
    const box = boxOf(process);
    for (const line of federation.lines) {
      if (line.includes(`"name":"${process}"`)) takeText(view, line);
    }
    for (const path of federation.filesOf(process)) {
      takeText(view, readFileSync(path).toString('latin1'));
    }
    for (const path of sealedFiles(process)) {
      const folder = new SealedFolder(join(path, '..'), box);
      const bytes = await folder.read(path.split('/').at(-1) ?? '');
      if (bytes) takeText(view, Buffer.from(bytes).toString('latin1'));
      if (bytes && path.endsWith('/share')) {
        const share = decodeShare(bytes);
        view.shares.push(share);
        view.scalars.push(share.secret);
      }
    }
    if (process !== COORDINATOR) {
      for (const { body } of lettersTo(process)) {
        takeText(view, JSON.stringify(body));
        if (body.kind === 'opening') view.scalars.push(fromBase64url(body.subshare));
        const elements =
          body.kind === 'batch' ? body.elements : body.kind === 'evaluation' ? body.evaluated : '';
        for (const element of splitElements(elements)) view.seen.add(bytesToHex(element));
      }
    } else {
      for (const label of labelSets().flatMap(labelsIn)) view.seen.add(label);
    }
    for (const other of [POLICE, COUNCIL]) {
      if (other === process) continue;
      const use = `linkage harm ${EPOCH} ${fingerprint}`;
      view.secrets.push(box.secretWith(keyOf(other), use));
    }
  }
  return view;
}

const ONE = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));
const labelHex = (outputs: readonly Uint8Array[], seed: Uint8Array): string[] =>
  [...makeLabels(outputs, { seed, queryId: fingerprint, keyId: KEY.id })].map((label) =>
    label.toString(16).padStart(16, '0'),
  );

/** Whatever a party could have seen of a person, computed from the dictionary with what it has. */
function guesses({ scalars, secrets, shares }: View, input: Uint8Array): string[] {
  const element = blind(input, ONE).blindedElement;
  const sha = createHash('sha256').update(input).digest();
  const macs = secrets.map((secret) => createHmac('sha256', secret).update(input).digest());
  const evaluated = scalars.map((scalar) => blindEvaluate(scalar, element));
  const outputs = evaluated.map((point) => finalize(input, ONE, point));
  const [first, second] = shares;
  if (first && second) {
    const pair = [first.index, second.index].sort() as unknown as HolderPair;
    const batch = { inputs: [input], blinds: [ONE], elements: [element] };
    const [a, b] = pair.map((index) => shares.find((share) => share.index === index));
    outputs.push(
      ...unblindBatch(
        batch,
        evaluateElements(a as KeyShare, pair, [element]),
        evaluateElements(b as KeyShare, pair, [element]),
      ),
    );
  }
  const lambda = shares.flatMap((share) =>
    (
      [
        [1, 2],
        [1, 3],
        [2, 3],
      ] as const
    )
      .filter((pair) => (pair as readonly number[]).includes(share.index))
      .flatMap((pair) => evaluateElements(share, pair, [element])),
  );
  const labels = secrets.flatMap((seed) => labelHex([input, sha, ...macs, ...outputs], seed));
  return [element, sha, ...macs, ...evaluated, ...lambda, ...outputs]
    .map(bytesToHex)
    .concat(labels);
}
const recovered = (view: View, people: readonly Uint8Array[]): number =>
  people.filter((input) => guesses(view, input).some((guess) => view.seen.has(guess))).length;

const entriesOf = async (process: string) => federation.entries(process);
/** Waits until the log of a process, as published, holds an entry. */
async function untilLogged(
  process: string,
  holds: (entry: Awaited<ReturnType<typeof entriesOf>>[number]) => boolean,
): Promise<void> {
  for (let waited = 0; waited < 600; waited++) {
    if ((await entriesOf(process)).some(holds)) return;
    await pause(100);
  }
  throw new Error(`the log of ${process} does not say so`);
}

/** Somebody with the keys of a process, who says what they like. */
function impostor(
  process: string,
  answer: (body: LinkageBody) => LinkageBody = () => ({ kind: 'refused', code: 'not-yet' }),
): Correspondence {
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
    box: boxOf(process),
    boxKeyOf: keyOf,
    post: postOver(client),
    answer: async (_from, body) => answer(body),
    newId: () => randomBytes(16).toString('hex'),
    log: { warn: () => undefined },
  });
}

beforeAll(async () => {
  const cell = cellAt(51.4545, -2.5879, 9);
  const domain = domainFromCells('test/area', disk(cell, 1));
  const files = { 'street.csv': streetFile([{ month: '2024-03', type: 'Robbery', cell }]) };
  federation = await Federation.open({
    agencies: [
      { id: COUNCIL, domain, files, people: csvOf(lists.right) },
      { id: POLICE, domain, files, people: csvOf(lists.left) },
    ],
    limits: { rhoPerQuery: '2', rhoPerYear: '8', measures: ['incidents', 'linked-people'] },
    keyHolders: [...HOLDERS],
    roundDeadlineSeconds: 300,
    serve: false,
  });
  await federation.startCoordinator();
  for (const process of HOLDERS) {
    proxies.set(process, await RecordingProxy.open(federation.url));
  }
  const through = (process: string): string => proxies.get(process)?.url ?? '';
  await federation.startAuditor(through(AUDITOR));
  for (const node of [POLICE, COUNCIL]) await federation.startNode(node, through(node));
  for (const node of [POLICE, COUNCIL]) await federation.untilConnected(node);

  operator = await linkageOperator(federation, {
    project: 'harm',
    epoch: EPOCH,
    left: POLICE,
    right: COUNCIL,
  });
  await operator.tell('init');
  await operator.until('keygen');
  await operator.until('run');
  const side = { left: { agency: POLICE }, right: { agency: COUNCIL } };
  const { header } = await federation.ask({
    measure: 'linked-people',
    categories: ['asb'],
    periods: ['2024-01/2024-06'],
    resolution: 4,
    rho: '2',
    agencies: [COUNCIL, POLICE],
    linkage: { project: 'harm', epoch: EPOCH, ...side, area: 'total' },
  });
  fingerprint = header?.fingerprint ?? '';
  for (const [sender, proxy] of proxies) recorded.set(sender, await requestsOf(proxy));
}, 2 * WITHIN_MS);
afterAll(async () => {
  await federation?.close();
  for (const proxy of proxies.values()) await proxy.close();
});

describe('the attack', () => {
  it('recovers everybody from SHA-256 pseudonyms, and from HMAC pseudonyms whose secret leaked', () => {
    const secret = randomBytes(32);
    const none = { scalars: [], secrets: [], shares: [] };
    const hashed = everyone.map((input) => createHash('sha256').update(input).digest('hex'));
    expect(recovered({ ...none, seen: new Set(hashed) }, everyone)).toBe(everyone.length);
    const keyed = everyone.map((input) => createHmac('sha256', secret).update(input).digest('hex'));
    const leaked = { ...none, secrets: [secret], seen: new Set(keyed) };
    expect(recovered(leaked, everyone)).toBe(everyone.length);
    expect(recovered({ ...leaked, secrets: [] }, everyone)).toBe(0);
  });

  it('recovers everybody who has the key from two key-holders, a node and the counter: the stated limit', async () => {
    const view = await viewOf(AUDITOR, COUNCIL, COORDINATOR);
    expect(recovered(view, everyone)).toBe(everyone.length);
  }, 240_000);
});

describe('the full view of one party, recorded', () => {
  it.each([
    ['the auditor, a key-holder', [AUDITOR], () => everyone],
    ['the counter', [COORDINATOR], () => everyone],
    ['the left node, a key-holder, of people that it does not know', [POLICE], () => onlyRight],
    ['the right node, a key-holder, of people that it does not know', [COUNCIL], () => onlyLeft],
    ['the counter and the left node', [COORDINATOR, POLICE], () => onlyRight],
    ['the counter and the right node', [COORDINATOR, COUNCIL], () => onlyLeft],
    ['the counter and the auditor', [COORDINATOR, AUDITOR], () => everyone],
  ] as const)(
    '%s recovers nobody',
    async (_, processes, people) => {
      const view = await viewOf(...processes);
      // something was recorded at all: hundreds of elements, or of labels
      expect(view.seen.size).toBeGreaterThan(500);
      expect(people().length).toBeGreaterThan(40);
      expect(recovered(view, people())).toBe(0);
    },
    240_000,
  );

  it('labels have no frequencies: twins who share surname, date of birth and postcode are one label, each set in ascending order', () => {
    expect(inputsOf(lists.left, countMatchKey('SDL')).length).toBeLessThan(lists.left.length - 1);
    const sets = labelSets();
    expect(sets).toHaveLength(8 + 11);
    for (const set of sets) {
      const labels = labelsIn(set);
      expect(labels).toEqual([...new Set(labels)].sort());
      expect(labels.length).toBeGreaterThan(20);
    }
  });
});

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
    const sent = lettersTo(AUDITOR).find(
      ({ from, body }) => from === POLICE && body.kind === 'batch',
    );
    if (!sent) throw new Error('a recorded batch');
    return sent.body;
  };
  const asBytes = (hex: string): string => toBase64url(fromHex(hex));

  beforeAll(async () => {
    await federation.stop(POLICE);
    letters = impostor(POLICE);
    for (const entry of await entriesOf(AUDITOR)) {
      if (entry.kind === 'linkage.batch' && entry.node === POLICE) spare = entry.quota - entry.used;
    }
    expect(spare).toBeGreaterThan(0);
  }, 120_000);
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
  ])(
    'is refused by a key-holder over the relay, and logged: %s %#',
    async (code, body) => {
      const said = body();
      const logged = (await entriesOf(AUDITOR)).length;
      await expect(letters.ask(AUDITOR, said, { timeoutMs: 60_000 })).rejects.toMatchObject({
        code,
      });
      await untilLogged(
        AUDITOR,
        (entry) =>
          entry.kind === 'linkage.batch' &&
          entry.code === code &&
          entry.node === POLICE &&
          said.kind === 'batch' &&
          entry.sequence === said.sequence,
      );
      expect((await entriesOf(AUDITOR)).length).toBeGreaterThan(logged);
    },
    120_000,
  );

  it('guesses no more than the 5 % that are left of its quota', async () => {
    const said = await letters.ask(AUDITOR, batch({ elements: fresh(spare) }));
    expect(said.kind).toBe('evaluation');
    await expect(letters.ask(AUDITOR, batch({}))).rejects.toMatchObject({
      code: 'quota-exhausted',
    });
  }, 120_000);
});

describe('a hostile key-holder', () => {
  it(
    'whose proof is wrong is logged by the nodes and left out; the other two do the work',
    async () => {
      await federation.startNode(POLICE);
      await federation.untilConnected(POLICE);
      const next = await linkageOperator(federation, {
        project: 'harm',
        epoch: '2024-2',
        left: POLICE,
        right: COUNCIL,
      });
      await next.tell('init');
      await next.until('keygen');
      await federation.stop(AUDITOR);
      const folder = new SealedFolder(join(federation.folder(AUDITOR), 'linkage'), boxOf(AUDITOR));
      const stored = await folder.folder('shares').folder('harm.2024-2').read('share');
      const share = decodeShare(stored as Uint8Array);
      const liar = impostor(AUDITOR, (body): LinkageBody => {
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
      try {
        await next.until('run');
      } finally {
        await liar.stop();
      }
      for (const node of [POLICE, COUNCIL]) {
        await untilLogged(
          node,
          (entry) =>
            entry.kind === 'linkage.answer-refused' &&
            entry.holder === AUDITOR &&
            entry.code === 'bad-proof',
        );
      }
      const used = (await entriesOf(COUNCIL)).filter(
        (entry) => entry.kind === 'linkage.batch' && entry.epoch === '2024-2',
      );
      expect(used.length).toBeGreaterThan(0);
    },
    WITHIN_MS,
  );
});
