import { describe, expect, it } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import {
  addSignatures,
  type Checkpoint,
  consistencyProof,
  formatVerifierKey,
  formatWitnessRequest,
  leafHash,
  type NoteSigner,
  openCheckpoint,
  parseWitnessRequest,
  signCheckpoint,
  treeRoot,
  type WitnessState,
  witnessUpdate,
} from './index.js';

const signerOf = (name: string, n: number): NoteSigner => {
  const seed = new Uint8Array(32).fill(n);
  return { name, publicKey: ed25519.getPublicKey(seed), sign: (m) => ed25519.sign(m, seed) };
};
const log = signerOf('example.org/log', 1);
const stranger = signerOf('example.org/log', 9);
const signer = signerOf('example.org/witness', 2);
const leaves = Array.from({ length: 20 }, (_, i) => leafHash(Uint8Array.of(i)));
const head = (size: number): Checkpoint => ({
  origin: log.name,
  size: BigInt(size),
  root: treeRoot(leaves.slice(0, size)),
});
const readNode = (level: number, index: bigint) => {
  const start = Number(index) << level;
  return treeRoot(leaves.slice(start, start + (1 << level)));
};
const request = async (oldSize: number, size: number, by = log): Promise<string> =>
  formatWitnessRequest({
    oldSize: BigInt(oldSize),
    proof: await consistencyProof(BigInt(oldSize), BigInt(size), readNode),
    checkpoint: signCheckpoint(head(size), by),
  });
const stateAt = (latest?: Checkpoint): WitnessState => ({
  logKeys: new Map([[log.name, [formatVerifierKey(log)]]]),
  latest: () => latest,
  signer,
  timestamp: 1_700_000_000n,
});

describe('add-checkpoint (C2SP tlog-witness)', () => {
  it('cosigns first sight, growth and the same tree again', async () => {
    for (const [from, to] of [
      [0, 0],
      [0, 7],
      [7, 7],
      [7, 8],
      [8, 20],
    ] as const) {
      const reply = witnessUpdate(await request(from, to), stateAt(from ? head(from) : undefined));
      if (reply.status !== 200) throw new Error(reply.code);
      expect(reply.latest).toEqual(head(to));
      const opened = openCheckpoint(
        addSignatures(signCheckpoint(head(to), log), [reply.cosignature]),
        {
          origin: log.name,
          logKeys: [formatVerifierKey(log)],
          witnessKeys: [formatVerifierKey(signer, 'cosignature/v1')],
          quorum: 1,
        },
      );
      expect(opened.cosigners[0]?.timestamp).toBe(1_700_000_000n);
    }
  });

  it('refuses with the status of the specification', async () => {
    const at7 = stateAt(head(7));
    const forked = signCheckpoint({ ...head(7), root: treeRoot(leaves.slice(1, 8)) }, log);
    const rewritten = signCheckpoint({ ...head(9), root: treeRoot(leaves.slice(1, 10)) }, log);
    const good = await request(7, 9);
    const { proof } = parseWitnessRequest(good);
    const cases: [string, WitnessState, object][] = [
      [await request(0, 9), at7, { status: 409, code: 'stale-old-size', size: 7n }],
      [await request(5, 9), at7, { status: 409, code: 'stale-old-size', size: 7n }],
      [await request(5, 9), stateAt(), { status: 409, code: 'stale-old-size', size: 0n }],
      // a log restored from an old copy offers less than was cosigned
      [await request(3, 5), at7, { status: 409, code: 'stale-old-size', size: 7n }],
      [
        good.replace('old 7', 'old 10'),
        stateAt(head(10)),
        { status: 400, code: 'old-size-too-large' },
      ],
      [
        formatWitnessRequest({ oldSize: 7n, proof: [], checkpoint: forked }),
        at7,
        { status: 409, code: 'fork' },
      ],
      [
        formatWitnessRequest({ oldSize: 7n, proof, checkpoint: rewritten }),
        at7,
        { status: 422, code: 'bad-consistency-proof' },
      ],
      [
        formatWitnessRequest({ oldSize: 0n, proof, checkpoint: signCheckpoint(head(9), log) }),
        stateAt(),
        { status: 422, code: 'bad-consistency-proof' },
      ],
      [await request(7, 9, stranger), at7, { status: 403, code: 'untrusted-checkpoint' }],
      [await request(7, 9), { ...at7, logKeys: new Map() }, { status: 404, code: 'unknown-log' }],
    ];
    for (const [body, state, reply] of cases) expect(witnessUpdate(body, state)).toEqual(reply);
  });

  it('refuses malformed requests with 400', async () => {
    const good = await request(7, 9);
    const line = `${good.split('\n')[1]}\n`;
    for (const bad of [
      '',
      'old 7\n',
      good.replace('old 7', 'old 07'),
      good.replace('old 7', 'old -7'),
      good.replace('old 7', 'new 7'),
      good.replace('\n\n', '\n'),
      good.replace(line, line.repeat(70)),
      good.replace(line, `${line.slice(4)}`),
      good.replace('example.org/log\n9', 'example.org/log\nnine'),
      `${good}x\n`,
      good.slice(0, -1),
    ]) {
      expect(witnessUpdate(bad, stateAt(head(7)))).toEqual({
        status: 400,
        code: 'malformed-request',
      });
    }
  });

  it('reads what it writes, with an empty proof too', async () => {
    for (const body of [await request(7, 9), await request(0, 9)]) {
      expect(formatWitnessRequest(parseWitnessRequest(body))).toBe(body);
    }
  });
});
