import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { bytesToHex, concatBytes, fromBase64, fromHex } from '#libs/bytes';
import { rootOfLeafHashes } from './compact-range.js';
import {
  CompactRange,
  consistencyProof,
  EMPTY_ROOT,
  type HashReader,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOfPrefix,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from './index.js';

/** MTH of RFC 6962 section 2.1 word for word: the reference everything else is compared with. */
const referenceRoot = (leaves: readonly Uint8Array[]): Uint8Array => {
  if (leaves.length === 0) return sha256(new Uint8Array());
  if (leaves.length === 1) return leaves[0] as Uint8Array;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha256(
    concatBytes(
      Uint8Array.of(1),
      referenceRoot(leaves.slice(0, k)),
      referenceRoot(leaves.slice(k)),
    ),
  );
};
const readerOf =
  (leaves: readonly Uint8Array[]): HashReader =>
  (level, index) => {
    const start = Number(index) << level;
    return referenceRoot(leaves.slice(start, start + (1 << level)));
  };
const leaf = (i: number): Uint8Array => leafHash(Uint8Array.of(i, i >> 8));
const leaves = Array.from({ length: 70 }, (_, i) => leaf(i));

describe('Merkle tree hash (RFC 6962 section 2.1)', () => {
  // the eight leaves and roots of certificate-transparency's own tests
  const entries = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ];
  const roots = [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ];

  it('gives the known roots', () => {
    expect(bytesToHex(treeRoot([]))).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    const hashes = entries.map((entry) => leafHash(fromHex(entry)));
    roots.forEach((root, i) => {
      expect(bytesToHex(treeRoot(hashes.slice(0, i + 1)))).toBe(root);
    });
  });

  it('agrees with the recursive definition at every size, incrementally and restored', () => {
    const range = new CompactRange();
    leaves.forEach((hash, i) => {
      range.append(hash);
      const root = referenceRoot(leaves.slice(0, i + 1));
      expect(range.root()).toEqual(root);
      expect(CompactRange.restore(range.size, range.nodes).root()).toEqual(root);
    });
  });

  it('tells each perfect subtree once, in order', () => {
    const nodes: string[] = [];
    const range = new CompactRange();
    for (const hash of leaves.slice(0, 8)) {
      range.append(hash, (level, node) => nodes.push(`${level}:${bytesToHex(node)}`));
    }
    expect(nodes.map((node) => Number(node[0]))).toEqual([
      0, 0, 1, 0, 0, 1, 2, 0, 0, 1, 0, 0, 1, 2, 3,
    ]);
    expect(nodes.at(-1)).toBe(`3:${bytesToHex(referenceRoot(leaves.slice(0, 8)))}`);
  });

  it('gives copies: what a caller does to them leaves the tree alone', () => {
    const range = new CompactRange();
    const hash = leaf(0);
    range.root().fill(1);
    range.append(hash);
    hash.fill(0);
    range.root().fill(0);
    range.nodes[0]?.fill(0);
    expect(range.root()).toEqual(leaf(0));
    expect(new CompactRange().root()).toEqual(sha256(new Uint8Array()));
  });

  it('takes entries as they are, unless all are as long as hashes', () => {
    const bytes = entries.map((entry) => fromHex(entry));
    roots.forEach((root, i) => {
      expect(bytesToHex(treeRoot(bytes.slice(0, i + 1)))).toBe(root);
    });
    expect(bytesToHex(treeRoot(bytes.map((entry) => Buffer.from(entry))))).toBe(roots.at(-1));
    const long = [new Uint8Array(32), new Uint8Array(32).fill(1)];
    expect(treeRoot(long)).toEqual(nodeHash(...(long as [Uint8Array, Uint8Array])));
    expect(treeRoot([...long, new Uint8Array(31)])).toEqual(
      treeRoot([...long, new Uint8Array(31)].map(leafHash)),
    );
  });

  it('refuses entries where hashes alone are wanted, and what is not bytes', () => {
    expect(() => rootOfLeafHashes([Uint8Array.of(1)])).toThrow(
      expect.objectContaining({ code: 'malformed-hash' }),
    );
    for (const bad of [null, undefined, 'x'.repeat(32), [1], 7]) {
      expect(() => treeRoot([leaf(0), bad as unknown as Uint8Array])).toThrow(
        expect.objectContaining({ code: 'malformed-hash' }),
      );
    }
    for (const bad of [null, undefined, 'x', 5, {}, 1n, Symbol('s')]) {
      expect(() => treeRoot(bad as unknown as Uint8Array[])).toThrow(
        expect.objectContaining({ code: 'malformed-hash' }),
      );
      expect(() => leafHash(bad as unknown as Uint8Array)).toThrow(
        expect.objectContaining({ code: 'malformed-leaf' }),
      );
    }
    expect(() => treeRoot(new Array(2))).toThrow(
      expect.objectContaining({ code: 'malformed-hash' }),
    );
    expect(() => CompactRange.restore(3n, [EMPTY_ROOT])).toThrow(
      expect.objectContaining({ code: 'malformed-range' }),
    );
  });
});

describe('inclusion proofs (RFC 9162 section 2.1.3)', () => {
  const vectors = JSON.parse(
    readFileSync(new URL('../vectors/rfc6962-inclusion.json', import.meta.url), 'utf8'),
  ) as {
    name: string;
    leafIdx: number;
    treeSize: number;
    root: string;
    leafHash: string;
    proof: string[];
    wantErr: boolean;
  }[];

  it.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const holds = verifyInclusion({
      leafIndex: BigInt(vector.leafIdx),
      treeSize: BigInt(vector.treeSize),
      leafHash: fromBase64(vector.leafHash),
      proof: vector.proof.map(fromBase64),
      root: fromBase64(vector.root),
    });
    expect(holds).toBe(!vector.wantErr);
  });

  it('proves every entry of every tree up to 40 leaves, and no other claim', async () => {
    for (let size = 1; size <= 40; size++) {
      const root = await rootOfPrefix(BigInt(size), readerOf(leaves));
      expect(root).toEqual(referenceRoot(leaves.slice(0, size)));
      for (let index = 0; index < size; index++) {
        const claim = {
          leafIndex: BigInt(index),
          treeSize: BigInt(size),
          leafHash: leaf(index),
          proof: await inclusionProof(BigInt(index), BigInt(size), readerOf(leaves)),
          root,
        };
        expect(verifyInclusion(claim)).toBe(true);
        expect(verifyInclusion({ ...claim, leafIndex: BigInt(index ^ 1) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: claim.proof.slice(1) })).toBe(size === 1);
        expect(verifyInclusion({ ...claim, proof: [...claim.proof, root] })).toBe(false);
        expect(verifyInclusion({ ...claim, leafHash: leaf(index + 1) })).toBe(false);
      }
    }
  });

  it('refuses to prove what is not there', async () => {
    for (const [index, size] of [
      [0n, 0n],
      [3n, 3n],
      [-1n, 3n],
    ] as const) {
      await expect(inclusionProof(index, size, readerOf(leaves))).rejects.toMatchObject({
        code: 'out-of-range',
      });
    }
  });
});

describe('consistency proofs (RFC 9162 section 2.1.4)', () => {
  it('proves every prefix of every tree up to 40 leaves, and no other claim', async () => {
    for (let size2 = 1; size2 <= 40; size2++) {
      for (let size1 = 1; size1 <= size2; size1++) {
        const claim = {
          size1: BigInt(size1),
          size2: BigInt(size2),
          root1: referenceRoot(leaves.slice(0, size1)),
          root2: referenceRoot(leaves.slice(0, size2)),
          proof: await consistencyProof(BigInt(size1), BigInt(size2), readerOf(leaves)),
        };
        expect(verifyConsistency(claim)).toBe(true);
        expect(verifyConsistency({ ...claim, root1: leaf(999) })).toBe(false);
        expect(verifyConsistency({ ...claim, root2: leaf(999) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: [...claim.proof, leaf(0)] })).toBe(false);
        if (size1 === size2) continue;
        expect(verifyConsistency({ ...claim, proof: claim.proof.slice(1) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: claim.proof.slice(0, -1) })).toBe(false);
        expect(verifyConsistency({ ...claim, size1: claim.size2, size2: claim.size1 })).toBe(false);
      }
    }
  });

  it('follows C2SP tlog-witness at the empty tree', () => {
    const root2 = referenceRoot(leaves.slice(0, 5));
    const claim = { size1: 0n, size2: 5n, root1: EMPTY_ROOT, root2, proof: [] };
    expect(verifyConsistency(claim)).toBe(true);
    expect(verifyConsistency({ ...claim, proof: [root2] })).toBe(false);
    expect(verifyConsistency({ ...claim, size2: 0n })).toBe(false);
    expect(verifyConsistency({ ...claim, size2: 0n, root2: EMPTY_ROOT })).toBe(true);
    expect(verifyConsistency({ ...claim, size1: -1n })).toBe(false);
  });

  it('works with trees larger than 2^53', async () => {
    // every leaf the same, so that the hash of a perfect subtree depends on its level alone
    const perfect = [leaf(0)];
    for (let level = 1; level < 70; level++) {
      perfect.push(nodeHash(perfect[level - 1] as Uint8Array, perfect[level - 1] as Uint8Array));
    }
    const read: HashReader = (level) => perfect[level] as Uint8Array;
    const size = fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n });
    await fc.assert(
      fc.asyncProperty(size, size, size, async (a, b, c) => {
        const [size1, size2] = a < b ? [a, b] : [b, a];
        const [root1, root2] = [await rootOfPrefix(size1, read), await rootOfPrefix(size2, read)];
        const proof = await consistencyProof(size1, size2, read);
        expect(verifyConsistency({ size1, size2, root1, root2, proof })).toBe(true);
        if (size1 < size2) {
          expect(verifyConsistency({ size1: size1 + 1n, size2, root1, root2, proof })).toBe(false);
        }
        const leafIndex = c % size2;
        const path = await inclusionProof(leafIndex, size2, read);
        const claim = { leafIndex, treeSize: size2, leafHash: leaf(0), proof: path, root: root2 };
        expect(verifyInclusion(claim)).toBe(true);
        expect(verifyInclusion({ ...claim, leafHash: leaf(1) })).toBe(false);
        expect(verifyInclusion({ ...claim, leafIndex: size2 })).toBe(false);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a hostile caller', () => {
  const hash = leaf(0);
  const inclusion = {
    leafIndex: 2n,
    treeSize: 5n,
    leafHash: leaf(2),
    root: referenceRoot(leaves.slice(0, 5)),
  };
  const consistency = {
    size1: 3n,
    size2: 5n,
    root1: referenceRoot(leaves.slice(0, 3)),
    root2: referenceRoot(leaves.slice(0, 5)),
  };
  const notHashes = [
    undefined,
    null,
    '',
    'a'.repeat(32),
    'a'.repeat(64),
    0,
    {},
    [],
    Array(32).fill(0),
    new Uint8Array(),
    new Uint8Array(31),
    new Uint8Array(33),
    new Uint16Array(32),
    new ArrayBuffer(32),
  ];
  const notSizes = [
    undefined,
    null,
    -1n,
    2n ** 64n,
    2n ** 4096n,
    0,
    2,
    2.5,
    Number.NaN,
    '2',
    {},
    [],
  ];
  const notProofs = [
    undefined,
    null,
    'x',
    0,
    {},
    [null],
    [[]],
    Array(1000).fill(hash),
    Array(1),
    hash,
  ];

  it('gets false for malformed claims, never an error', async () => {
    const path = await inclusionProof(2n, 5n, readerOf(leaves));
    const steps = await consistencyProof(3n, 5n, readerOf(leaves));
    const inclusionHolds = (change: object) =>
      verifyInclusion({ ...inclusion, proof: path, ...change } as never);
    const consistencyHolds = (change: object) =>
      verifyConsistency({ ...consistency, proof: steps, ...change } as never);
    expect([inclusionHolds({}), consistencyHolds({})]).toEqual([true, true]);
    const changes = [
      ...['leafHash', 'root', 'root1', 'root2'].flatMap((name) =>
        notHashes.map((value) => ({ [name]: value })),
      ),
      ...['leafIndex', 'treeSize', 'size1', 'size2'].flatMap((name) =>
        notSizes.map((value) => ({ [name]: value })),
      ),
      ...notProofs.map((proof) => ({ proof })),
      ...notHashes.map((item) => ({ proof: [item, ...path.slice(1)] })),
    ];
    for (const change of changes) {
      if (Object.keys(change).some((name) => name in inclusion || name === 'proof'))
        expect([change, inclusionHolds(change)]).toEqual([change, false]);
      if (Object.keys(change).some((name) => name in consistency || name === 'proof'))
        expect([change, consistencyHolds(change)]).toEqual([change, false]);
    }
    for (const claim of [undefined, null, 0, 'x', [], {}]) {
      expect(verifyInclusion(claim as never)).toBe(false);
      expect(verifyConsistency(claim as never)).toBe(false);
    }
  });

  it('cannot prove a tree to follow itself by hashes, nor a larger one by none', () => {
    const same = { ...consistency, size1: 5n, root1: consistency.root2 };
    expect(verifyConsistency({ ...same, proof: [] })).toBe(true);
    expect(verifyConsistency({ ...same, proof: [hash] })).toBe(false);
    expect(verifyConsistency({ ...same, root1: hash, proof: [] })).toBe(false);
    expect(verifyConsistency({ ...consistency, proof: [] })).toBe(false);
    expect(verifyConsistency({ ...consistency, root1: consistency.root2, proof: [] })).toBe(false);
  });
});
