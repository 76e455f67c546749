import {
  createPrivateKey,
  createPublicKey,
  sign as nodeSign,
  verify as nodeVerify,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes, fromBase64, fromHex, toBase64, utf8ToBytes } from '#libs/bytes';
import {
  addSignatures,
  cosign,
  formatVerifierKey,
  keyId,
  type NoteSigner,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseVerifierKey,
  signCheckpoint,
  signNote,
  treeRoot,
  type VerifyEd25519,
} from './index.js';

interface Vectors {
  readonly goNote: {
    readonly seedKeys: { readonly PeterNeumann: string };
    readonly verifierKeys: { readonly PeterNeumann: string; readonly EnochRoot: string };
    readonly text: string;
    readonly signatureLines: readonly [string, string];
    readonly badVerifierKeys: readonly string[];
  };
  readonly signedNote: { readonly verifierKey: string; readonly note: string };
  readonly cosignature: Record<'timestamp' | 'checkpoint' | 'message' | 'note', string>;
  readonly liveCheckpoint: {
    readonly verifierKeys: readonly string[];
    readonly witnessKeys: readonly string[];
    readonly note: string;
  };
}
const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../vectors/notes.json', import.meta.url), 'utf8'),
);
const { goNote, signedNote, cosignature, liveCheckpoint } = vectors;
const { PeterNeumann, EnochRoot } = goNote.verifierKeys;
const [peterLine, enochLine] = goNote.signatureLines;

const signerOf = (name: string, seed: Uint8Array): NoteSigner => ({
  name,
  publicKey: ed25519.getPublicKey(seed),
  sign: (message) => ed25519.sign(message, seed),
});
const peter = signerOf(
  'PeterNeumann',
  fromBase64(goNote.seedKeys.PeterNeumann.split('+').slice(4).join('+')).slice(1),
);
const seed = (n: number): Uint8Array => new Uint8Array(32).fill(n);

const throwsCode = (run: () => unknown, code: string): void => {
  expect(run).toThrow(expect.objectContaining({ name: 'ConcordatError', code }));
};

describe('verifier keys (C2SP signed-note)', () => {
  it('reads and writes the known ones', () => {
    const { name, keyId: id, publicKey } = parseVerifierKey(PeterNeumann);
    expect([name, id]).toEqual(['PeterNeumann', 0xc74f20a3]);
    expect(publicKey).toEqual(peter.publicKey);
    for (const text of [
      PeterNeumann,
      EnochRoot,
      signedNote.verifierKey,
      ...liveCheckpoint.witnessKeys,
    ]) {
      const key = parseVerifierKey(text);
      expect(formatVerifierKey(key, key.type)).toBe(text);
    }
  });

  it('refuses every part, every changed character and wrong algorithms, as Go does', () => {
    for (let i = 0; i <= PeterNeumann.length; i++) {
      for (let j = i + 1; j <= PeterNeumann.length; j++) {
        if (i === 0 && j === PeterNeumann.length) continue;
        throwsCode(() => parseVerifierKey(PeterNeumann.slice(i, j)), 'malformed-verifier-key');
      }
      const next = String.fromCharCode(PeterNeumann.charCodeAt(i) + 1);
      if (i < PeterNeumann.length) {
        const mangled = PeterNeumann.slice(0, i) + next + PeterNeumann.slice(i + 1);
        throwsCode(() => parseVerifierKey(mangled), 'malformed-verifier-key');
      }
    }
    for (const bad of goNote.badVerifierKeys) {
      throwsCode(() => parseVerifierKey(bad), 'malformed-verifier-key');
    }
  });

  it.each(['', 'a b', 'a+b', 'a\u00a0b', 'a\nb', 'a\u2028b'])('refuses the name %j', (name) => {
    throwsCode(() => keyId(name, 'ed25519', peter.publicKey), 'malformed-verifier-key');
  });
});

describe('signed notes', () => {
  it('signs the well-known note byte for byte', () => {
    expect(signNote(goNote.text, peter)).toBe(`${goNote.text}\n${peterLine}`);
  });

  it('opens it, ignoring signatures of unknown keys', () => {
    const note = `${goNote.text}\n${peterLine}${enochLine}`;
    const name = (opened: { signers: readonly { name: string }[] }) =>
      opened.signers.map((signer) => signer.name);
    expect(name(openNote(note, [PeterNeumann]))).toEqual(['PeterNeumann']);
    expect(name(openNote(utf8ToBytes(note), [EnochRoot, PeterNeumann]))).toEqual([
      'PeterNeumann',
      'EnochRoot',
    ]);
    expect(openNote(note, [EnochRoot, EnochRoot]).text).toBe(goNote.text);
    expect(name(openNote(note + peterLine + enochLine, [PeterNeumann]))).toEqual(['PeterNeumann']);
    expect(openNote(signedNote.note, [signedNote.verifierKey]).text).toBe(
      'This is an example message.\n',
    );
    throwsCode(() => openNote(note, []), 'unknown-signer');
  });

  it('refuses the whole note when a known signature fails', () => {
    const bad = `${peterLine.slice(0, 60)}ABCD${peterLine.slice(60)}`;
    throwsCode(
      () => openNote(`${goNote.text}\n${bad}${enochLine}`, [PeterNeumann, EnochRoot]),
      'bad-signature',
    );
    throwsCode(
      () => openNote(`${goNote.text}\n${peterLine}${bad}`, [PeterNeumann]),
      'bad-signature',
    );
    throwsCode(() => openNote(`x${goNote.text}\n${peterLine}`, [PeterNeumann]), 'bad-signature');
  });

  it.each<[string, string | Uint8Array]>([
    ['no signature', goNote.text],
    ['no signature after the empty line', `${goNote.text}\n`],
    ['no final newline', `${goNote.text}\n${peterLine.slice(0, -1)}`],
    ['control character', `\u0001${goNote.text}\n${peterLine}`],
    ['carriage return', `${goNote.text.replace('\n', '\r\n')}\n${peterLine}`],
    ['not UTF-8', concatBytes(Uint8Array.of(0xff), utf8ToBytes(`${goNote.text}\n${peterLine}`))],
    ['lone surrogate', `\ud800${goNote.text}\n${peterLine}`],
    ['two spaces in a line', `${goNote.text}\n${peterLine.replace('Peter', 'Peter ')}`],
    ['unexpected line', `${goNote.text}\n${peterLine}Unexpected line.\n`],
    ['hyphen for the dash', `${goNote.text}\n${peterLine.replace('—', '-')}`],
    ['signature of four bytes', `${goNote.text}\n— PeterNeumann x08gow==\n`],
    ['unpadded base64', `${goNote.text}\n${peterLine.replace('=', '')}`],
    ['empty', ''],
    ['101 signatures', `${goNote.text}\n${peterLine.repeat(101)}`],
    ['too long', `${'x'.repeat(1_000_001)}\n\n${peterLine}`],
  ])('refuses malformed notes: %s', (_, note) => {
    throwsCode(() => openNote(note, [PeterNeumann]), 'malformed-note');
  });

  it.each([undefined, null, 7, {}, [], [65, 10, 10]])(
    'refuses %j where a note is wanted',
    (note) => {
      throwsCode(() => openNote(note as never, [PeterNeumann]), 'malformed-note');
      throwsCode(() => signNote(note as never, peter), 'malformed-note');
    },
  );

  it.each([undefined, null, PeterNeumann, [undefined], [null], [7], [''], ['PeterNeumann']])(
    'refuses the known keys %j',
    (keys) => {
      const note = `${goNote.text}\n${peterLine}`;
      throwsCode(() => openNote(note, keys as never), 'malformed-verifier-key');
    },
  );

  it('refuses a known key of another algorithm, and ignores lines of one', () => {
    const [name = '', , base64 = ''] = PeterNeumann.split(/\+(.{8})\+/);
    for (const type of [0x00, 0x02, 0x03, 0x05, 0x06, 0xfa, 0xff]) {
      const other = toBase64(Uint8Array.of(type, ...fromBase64(base64).slice(1)));
      throwsCode(() => parseVerifierKey(`${name}+c74f20a3+${other}`), 'malformed-verifier-key');
    }
    // the same key as a cosigner has another id: its line is nobody's whom this reader knows
    const asCosigner = formatVerifierKey(peter, 'cosignature/v1');
    throwsCode(() => openNote(`${goNote.text}\n${peterLine}`, [asCosigner]), 'unknown-signer');
  });

  it('refuses carriage returns in the text, between the parts and in signature lines', () => {
    const note = `${goNote.text}\n${peterLine}`;
    for (let at = note.indexOf('\n'); at >= 0; at = note.indexOf('\n', at + 1)) {
      const crlf = `${note.slice(0, at)}\r${note.slice(at)}`;
      throwsCode(() => openNote(crlf, [PeterNeumann]), 'malformed-note');
      throwsCode(() => openNote(utf8ToBytes(crlf), [PeterNeumann]), 'malformed-note');
    }
  });

  it('keeps empty lines in the text', () => {
    const text = 'a\n\n\nb\n\n';
    expect(openNote(signNote(text, peter), [PeterNeumann]).text).toBe(text);
  });

  it('will not sign what could not be opened', () => {
    throwsCode(() => signNote('abc', peter), 'malformed-note');
    throwsCode(() => signNote('a\tb\n', peter), 'malformed-note');
    throwsCode(() => signNote('a\n', { ...peter, name: 'bad name' }), 'malformed-verifier-key');
    for (const bad of [undefined, null, 'peter', {}]) {
      throwsCode(() => signNote('a\n', bad as never), 'malformed-signer');
    }
  });

  it('refuses malleated signatures and small-order keys', () => {
    const [, , base64 = ''] = peterLine.trimEnd().split(' ');
    const bytes = fromBase64(base64);
    // s + L signs the same text under a lax verifier (RFC 8032 section 5.1.7 forbids it)
    const s = BigInt(`0x${Buffer.from(bytes.slice(36)).reverse().toString('hex')}`);
    const lax = (s + ed25519.Point.Fn.ORDER).toString(16).padStart(64, '0');
    const malleated = concatBytes(bytes.slice(0, 36), fromHex(lax).reverse());
    throwsCode(
      () => openNote(`${goNote.text}\n— PeterNeumann ${toBase64(malleated)}\n`, [PeterNeumann]),
      'bad-signature',
    );
    // the identity as a key, and (identity, 0) as its signature, satisfy the equation for every message
    const identity = concatBytes(Uint8Array.of(1), new Uint8Array(31));
    const forger = {
      name: 'forger',
      publicKey: identity,
      sign: () => concatBytes(identity, new Uint8Array(32)),
    };
    throwsCode(
      () => openNote(signNote('any\n', forger), [formatVerifierKey(forger)]),
      'bad-signature',
    );
  });

  it('agrees with node:crypto, which processes inject', () => {
    const verify: VerifyEd25519 = (signature, message, publicKey) => {
      const x = Buffer.from(publicKey).toString('base64url');
      const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
      return nodeVerify(null, message, key, signature);
    };
    const note = `${goNote.text}\n${peterLine}`;
    expect(openNote(note, [PeterNeumann], verify)).toEqual(openNote(note, [PeterNeumann]));
    throwsCode(() => openNote(`x${note}`, [PeterNeumann], verify), 'bad-signature');
    const jwk = {
      kty: 'OKP',
      crv: 'Ed25519',
      d: Buffer.from(seed(7)).toString('base64url'),
      x: Buffer.from(signerOf('n', seed(7)).publicKey).toString('base64url'),
    };
    const key = createPrivateKey({ key: jwk, format: 'jwk' });
    const signer = { ...signerOf('n', seed(7)), sign: (m: Uint8Array) => nodeSign(null, m, key) };
    expect(signNote('text\n', signer)).toBe(signNote('text\n', signerOf('n', seed(7))));
  });
});

describe('checkpoints and cosignatures', () => {
  const log = signerOf('example.org/log', seed(1));
  const head = { origin: log.name, size: 2n ** 63n, root: treeRoot([]).map((b) => b ^ 1) };

  it('opens a checkpoint the public witness network cosigned', () => {
    const opened = openCheckpoint(liveCheckpoint.note, {
      origin: 'arche2025h1.staging.ct.transparency.dev',
      logKeys: liveCheckpoint.verifierKeys,
      witnessKeys: liveCheckpoint.witnessKeys,
      quorum: 4,
    });
    expect(opened.checkpoint.size).toBe(1432088532n);
    expect(opened.cosigners.map(({ timestamp }) => timestamp)).toEqual(Array(4).fill(1779573024n));
    // any changed digit of the size is noticed
    throwsCode(
      () =>
        openNote(
          liveCheckpoint.note.replace('1432088532', '1432088533'),
          liveCheckpoint.witnessKeys,
        ),
      'bad-signature',
    );
  });

  it('signs exactly the message of tlog-cosignature', () => {
    const messages: string[] = [];
    const witness: NoteSigner = {
      ...log,
      sign: (message) => {
        messages.push(Buffer.from(message).toString());
        return log.sign(message);
      },
    };
    cosign(cosignature.checkpoint, witness, BigInt(cosignature.timestamp));
    expect(messages).toEqual([cosignature.message]);
    const { size } = parseCheckpoint(cosignature.checkpoint);
    expect(size).toBe(20852163n);
    // the key of the specification's example is not published: its frame is read, its signature not verified
    throwsCode(() => openNote(cosignature.note, [PeterNeumann]), 'unknown-signer');
  });

  it('counts each witness once towards the quorum, and no plain signature', () => {
    const witnesses = [2, 3].map((n) => signerOf(`example.org/w${n}`, seed(n)));
    const [w2, w3] = witnesses as [NoteSigner, NoteSigner];
    const policy = {
      origin: log.name,
      logKeys: [formatVerifierKey(log)],
      witnessKeys: witnesses.map((w) => formatVerifierKey(w, 'cosignature/v1')),
      quorum: 2,
    };
    const note = signCheckpoint(head, log);
    const { text } = openNote(note, policy.logKeys);
    const twice = addSignatures(note, [cosign(text, w2, 1n), cosign(text, w2, 2n)]);
    throwsCode(() => openCheckpoint(twice, policy), 'no-quorum');
    const both = addSignatures(twice, [cosign(text, w3, 3n), cosign(text, w3, 3n)]);
    expect(openCheckpoint(both, policy).cosigners.map(({ name }) => name)).toEqual([
      w2.name,
      w3.name,
    ]);
    expect(both.match(/^— /gm)).toHaveLength(4);
    throwsCode(() => openCheckpoint(both, { ...policy, origin: 'another' }), 'wrong-origin');
    const unsigned = both.replace(/^— example.org\/log .*\n/m, '');
    throwsCode(() => openCheckpoint(unsigned, policy), 'unknown-signer');
    // a plain signature of the witness is no cosignature, nor the other way round
    const plain = addSignatures(note, [signNote(text, w2).slice(text.length + 1)]);
    throwsCode(() => openCheckpoint(plain, policy), 'no-quorum');
    throwsCode(() => openNote(twice, [formatVerifierKey(w2)]), 'unknown-signer');
    throwsCode(() => cosign(text, w2, -1n), 'out-of-range');
    throwsCode(() => cosign('no checkpoint\n', w2, 1n), 'malformed-checkpoint');
  });

  it.each([
    'origin\n1\n',
    'origin\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n',
    'origin\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n',
    'origin\n1e3\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n',
    'origin\n18446744073709551616\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n',
    '\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n',
    'origin\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n',
    'origin\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==\n',
    'origin\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    'origin\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\nx\n',
    'origin\n0\nd7E/7e7oy4Nd4NPCqMVkxeOPdrAEHxJ+WQ4rUPJlNjs=\n',
  ])('refuses %j', (text) => {
    throwsCode(() => parseCheckpoint(text), 'malformed-checkpoint');
  });

  it('keeps extension lines, which signatures cover', () => {
    const note = signCheckpoint({ ...head, extensions: ['one', 'two'] }, log);
    const { text } = openNote(note, [formatVerifierKey(log)]);
    expect(parseCheckpoint(text)).toEqual({ ...head, extensions: ['one', 'two'] });
    throwsCode(
      () => openNote(note.replace('two', 'six'), [formatVerifierKey(log)]),
      'bad-signature',
    );
  });
});
