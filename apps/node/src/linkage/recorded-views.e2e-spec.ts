/**
 * A whole run of linkage between processes, recorded: what each party received, stored and logged, opened with its own keys. An attacker
 * with that view and a dictionary that holds every person recovers nobody; the same attack recovers everybody from SHA-256 and leaked-HMAC
 * pseudonyms, and from what two key-holders, a node and the counter have together.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  bytesToHex,
  domainDigest,
  fromBase64url,
  parseCanonicalJson,
  utf8ToBytes,
} from '#libs/bytes';
import {
  blind,
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
import { SealedFolder, splitElements } from '#libs/linkage-party';
import { LinkedAnswer, LinkedSet } from '#libs/protocol';
import { AUDITOR, COORDINATOR, seededRandom } from '#libs/testing';
import {
  COUNCIL,
  EPOCH,
  POLICE,
  RecordedLinkage,
  WITHIN_MS,
} from './recorded-linkage.fixture-spec.js';

const KEY = countMatchKey('FSDL');

const lists = syntheticLists(
  { both: 40, onlyLeft: 50, onlyRight: 50, dependence: 1 },
  seededRandom('attacks'),
);

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

let linkage: RecordedLinkage;
let fingerprint = '';

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
  linkage.federation.filesOf(process).filter((path) => /\/linkage\/shares\/.+\/[^/]+$/.test(path));

/** Label sets of both answers, as the counter opens them. */
function labelSets(): LinkedSet[] {
  const box = linkage.boxOf(COORDINATOR);
  return [POLICE, COUNCIL].flatMap((node) =>
    linkage.federation
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
          LinkedSet.parse(parseCanonicalJson(box.open(fromBase64url(text), linkage.keyOf(node)))),
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
    const box = linkage.boxOf(process);
    for (const line of linkage.federation.lines) {
      if (line.includes(`"name":"${process}"`)) takeText(view, line);
    }
    for (const path of linkage.federation.filesOf(process)) {
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
      for (const { body } of linkage.lettersTo(process)) {
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
      // what a pair of nodes keeps for an epoch, and the seed of their labels in one question
      const pair = box.secretWith(linkage.keyOf(other), `linkage harm ${EPOCH}`);
      const query = utf8ToBytes(fingerprint);
      view.secrets.push(pair, domainDigest('concordat/linkage-dummies/v1', pair, query));
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

beforeAll(async () => {
  linkage = await RecordedLinkage.open(lists);
  const side = { left: { agency: POLICE }, right: { agency: COUNCIL } };
  const { header } = await linkage.federation.ask({
    measure: 'linked-people',
    categories: ['asb'],
    periods: ['2024-01/2024-06'],
    resolution: 4,
    rho: '2',
    agencies: [COUNCIL, POLICE],
    linkage: { project: 'harm', epoch: EPOCH, ...side, area: 'total' },
  });
  fingerprint = header?.fingerprint ?? '';
  await linkage.record();
}, 2 * WITHIN_MS);
afterAll(() => linkage?.close());

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
  });
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
  ] as const)('%s recovers nobody', async (_, processes, people) => {
    const view = await viewOf(...processes);
    // something was recorded at all: hundreds of elements, or of labels
    expect(view.seen.size).toBeGreaterThan(500);
    expect(people().length).toBeGreaterThan(40);
    expect(recovered(view, people())).toBe(0);
  });

  it('labels have no frequencies: twins who share surname, date of birth and postcode are one label, each set in ascending order', () => {
    expect(inputsOf(lists.left, countMatchKey('SDL')).length).toBeLessThan(lists.left.length - 1);
    const sets = labelSets();
    expect(sets).toHaveLength(2 * 11);
    for (const set of sets) {
      const labels = labelsIn(set);
      expect(labels).toEqual([...new Set(labels)].sort());
      expect(labels.length).toBeGreaterThan(20);
    }
  });

  it('labels of one node meet in no two of its sets: only what is joined can be compared', () => {
    for (const node of [POLICE, COUNCIL]) {
      const labels = labelSets()
        .filter(({ agency }) => agency === node)
        .flatMap(labelsIn);
      expect(new Set(labels).size).toBe(labels.length);
    }
  });
});
