import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, toBase64url } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import {
  allLogKeys,
  enrolmentWords,
  formatToken,
  foundManifest,
  type Manifest,
  type ManifestAgency,
  type ManifestChange,
  ManifestHistory,
  type ManifestStep,
  type MessageSigner,
  manifestHash,
  nextManifest,
  parseToken,
  sameWords,
  seal,
  sealRotation,
  signStep,
  takeStep,
} from './index.js';

const raw = (key: KeyObject): string => String(key.export({ format: 'jwk' }).x);
const newKey = (): MessageSigner => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { publicKey: raw(publicKey), sign: (message) => sign(null, message, privateKey) };
};
const newBoxKey = (): string => raw(generateKeyPairSync('x25519').publicKey);
const AT = '2026-03-01T09:00:00.000Z';

const coordinator = newKey();
const auditor = newKey();
const alpha = newKey();
const beta = newKey();
const analyst = newKey();
const agency = (id: string, key: MessageSigner): ManifestAgency => ({
  id,
  name: id,
  kind: 'police',
  publicKey: key.publicKey,
  boxKey: newBoxKey(),
  domain: 'd'.repeat(64),
  categories: ['robbery'],
});
const founding = foundManifest({
  federation: 'small',
  grid: { name: 'ew-2026-1', hash: '1'.repeat(64) },
  coordinator: { id: 'coordinator', publicKey: coordinator.publicKey, boxKey: newBoxKey() },
  auditor: { id: 'auditor', publicKey: auditor.publicKey, boxKey: newBoxKey() },
  agencies: [agency('alpha', alpha)],
  analysts: [],
  witnesses: ['auditor', 'alpha'],
  quorum: 2,
});

const enrolled = (
  given: { member?: ManifestAgency; key?: MessageSigner; to?: string } = {},
): ManifestChange => {
  const { member = agency('beta', beta), key = beta, to = coordinator.publicKey } = given;
  const payload = { version: 1 as const, agency: member, coordinator: to, at: AT };
  return { kind: 'enrolled', enrolment: seal('enrolment', payload, key), witness: true };
};
const rotated = (
  manifest: Manifest,
  process: string,
  oldKey: MessageSigner,
  next: MessageSigner,
  possessor = next,
): ManifestChange => ({
  kind: 'rotated',
  rotation: sealRotation(
    {
      version: 1,
      process,
      oldKey: oldKey.publicKey,
      newKey: next.publicKey,
      newBoxKey: newBoxKey(),
      manifest: manifestHash(manifest),
      at: AT,
    },
    oldKey,
    possessor,
  ),
});
const changed = (manifest: Manifest, change: ManifestChange): Manifest =>
  nextManifest(manifest, change, verifySignature);
const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'done';
  } catch (error) {
    return String((error as { code?: string }).code);
  }
};

describe('the manifest after a change', () => {
  it('names what was there, what changed and why', () => {
    const next = changed(founding, enrolled());
    expect(next.serial).toBe(2);
    expect(next.previous).toBe(manifestHash(founding));
    expect(next.agencies.map(({ id }) => id)).toEqual(['alpha', 'beta']);
    expect(next.witnesses).toEqual(['auditor', 'alpha', 'beta']);

    const fresh = newKey();
    const turned = changed(next, rotated(next, 'alpha', alpha, fresh));
    expect(turned.agencies[0]?.publicKey).toBe(fresh.publicKey);
    expect(turned.formerKeys).toEqual([{ id: 'alpha', publicKey: alpha.publicKey, until: 2 }]);
    expect(allLogKeys(turned, 'alpha')).toHaveLength(2);

    const revoked = changed(turned, { kind: 'revoked', agency: 'alpha', reason: 'left' });
    expect(revoked.agencies.map(({ id }) => id)).toEqual(['beta']);
    expect(revoked.witnesses).toEqual(['auditor', 'beta']);
    expect(revoked.quorum).toBe(2);
    expect(allLogKeys(revoked, 'alpha')).toHaveLength(2);

    const roles = ['national-analyst'];
    const asking = { id: 'first', publicKey: analyst.publicKey, roles };
    const added = changed(revoked, { kind: 'analyst-added', analyst: asking });
    expect(added.analysts).toEqual([asking]);
    expect(
      changed(added, { kind: 'analyst-removed', analyst: 'first', reason: 'left' }).analysts,
    ).toEqual([]);
  });

  it('keeps the quorum within the witnesses that are left', () => {
    expect(changed(founding, { kind: 'revoked', agency: 'alpha', reason: 'left' }).quorum).toBe(1);
  });

  it.each<[string, () => ManifestChange, string]>([
    ['a second founding', () => ({ kind: 'founded' }), 'bad-manifest'],
    ['an enrolment signed by another key', () => enrolled({ key: alpha }), 'wrong-signer'],
    [
      'an enrolment for another coordinator',
      () => enrolled({ to: auditor.publicKey }),
      'wrong-coordinator',
    ],
    ['an id that is taken', () => enrolled({ member: agency('alpha', beta) }), 'id-taken'],
    ['the id of the auditor', () => enrolled({ member: agency('auditor', beta) }), 'id-taken'],
    [
      'a key that is taken',
      () => enrolled({ member: agency('beta', alpha), key: alpha }),
      'key-taken',
    ],
    [
      'a box key that is taken',
      () => enrolled({ member: { ...agency('beta', beta), boxKey: founding.auditor.boxKey } }),
      'bad-manifest',
    ],
    [
      'a key of small order',
      () => ({
        kind: 'analyst-added',
        analyst: { id: 'first', publicKey: toBase64url(new Uint8Array(32)), roles: ['any'] },
      }),
      'weak-key',
    ],
    [
      'a rotation that the old key did not sign',
      () => rotated(founding, 'alpha', beta, newKey()),
      'wrong-signer',
    ],
    [
      'a rotation to a key that nobody holds',
      () => rotated(founding, 'alpha', alpha, newKey(), beta),
      'bad-signature',
    ],
    [
      'a rotation of another manifest',
      () => rotated(changed(founding, enrolled()), 'alpha', alpha, newKey()),
      'wrong-manifest',
    ],
    [
      'a rotation to a key that is taken',
      () => rotated(founding, 'alpha', alpha, auditor),
      'key-taken',
    ],
    [
      'a rotation of a stranger',
      () => rotated(founding, 'gamma', beta, newKey()),
      'unknown-process',
    ],
    [
      'the revocation of a stranger',
      () => ({ kind: 'revoked', agency: 'beta', reason: 'x' }),
      'unknown-agency',
    ],
    [
      'the removal of a stranger',
      () => ({ kind: 'analyst-removed', analyst: 'x', reason: 'x' }),
      'unknown-analyst',
    ],
  ])('does not exist for %s', (_what, make, code) => {
    expect(codeOf(() => changed(founding, make()))).toBe(code);
  });

  it('never has an id or a key of before again', () => {
    const revoked = changed(founding, { kind: 'revoked', agency: 'alpha', reason: 'left' });
    expect(codeOf(() => changed(revoked, enrolled({ member: agency('alpha', beta) })))).toBe(
      'id-taken',
    );
    expect(
      codeOf(() => changed(revoked, enrolled({ member: agency('gamma', alpha), key: alpha }))),
    ).toBe('key-taken');
  });
});

describe('a step', () => {
  it('is taken from the coordinator alone, and leads to nothing but the change', () => {
    const step = signStep(founding, enrolled(), coordinator, verifySignature);
    expect(takeStep(founding, step, verifySignature).agencies).toHaveLength(2);
    expect(
      codeOf(() =>
        takeStep(
          founding,
          signStep(founding, enrolled(), auditor, verifySignature),
          verifySignature,
        ),
      ),
    ).toBe('wrong-signer');
    // the coordinator signs a manifest in which it changed something else as well
    const next = changed(founding, enrolled());
    fc.assert(
      fc.property(
        fc.constantFrom<Partial<Manifest>>(
          { quorum: 0 },
          {
            agencies: next.agencies.map((member) => ({ ...member, publicKey: auditor.publicKey })),
          },
          { witnesses: ['auditor'] },
          { federation: 'other' },
          { serial: 9 },
          { analysts: [{ id: 'own', publicKey: analyst.publicKey, roles: ['any'] }] },
          { grid: { name: 'ew-2026-1', hash: '2'.repeat(64) } },
          { formerKeys: [{ id: 'alpha', publicKey: analyst.publicKey, until: 1 }] },
        ),
        (change) => {
          const { publicKey, signature } = seal('manifest', { ...next, ...change }, coordinator);
          const forged: ManifestStep = { change: step.change, publicKey, signature };
          return codeOf(() => takeStep(founding, forged, verifySignature)) === 'bad-signature';
        },
      ),
    );
  });
});

describe('a history', () => {
  const grown = (): { history: ManifestHistory; next: MessageSigner } => {
    const signed = seal('manifest', founding, coordinator);
    const history = ManifestHistory.open(signed, coordinator.publicKey, verifySignature);
    history.extend(signStep(history.manifest, enrolled(), coordinator, verifySignature));
    const next = newKey();
    const turn = rotated(history.manifest, 'coordinator', coordinator, next);
    history.extend(signStep(history.manifest, turn, coordinator, verifySignature));
    const removal: ManifestChange = { kind: 'revoked', agency: 'beta', reason: 'left' };
    history.extend(signStep(history.manifest, removal, next, verifySignature));
    return { history, next };
  };

  it('is read again as it was kept, by who pinned any of the coordinator’s keys', () => {
    const { history, next } = grown();
    const file: unknown = JSON.parse(JSON.stringify(history.file()));
    for (const pinned of [coordinator.publicKey, next.publicKey, undefined]) {
      const read = ManifestHistory.open(file, pinned, verifySignature);
      expect(read.hash).toBe(history.hash);
      expect(read.manifest.serial).toBe(4);
      expect(canonicalJson(read.file())).toBe(canonicalJson(history.file()));
    }
    expect(codeOf(() => ManifestHistory.open(file, auditor.publicKey, verifySignature))).toBe(
      'wrong-signer',
    );
    expect(history.named(manifestHash(founding))).toEqual(founding);
    expect(history.stepsAfter(3)).toHaveLength(1);
    expect(history.stepsAfter(99)).toEqual([]);
  });

  it('gives the newest manifest alone, which its own signer vouches for', () => {
    const { history, next } = grown();
    const read = ManifestHistory.open(history.signed(), next.publicKey, verifySignature);
    expect(read.hash).toBe(history.hash);
    expect(
      codeOf(() => ManifestHistory.open(history.signed(), coordinator.publicKey, verifySignature)),
    ).toBe('wrong-signer');
  });

  it('does not go on with a key that was handed over, and stays as it was', () => {
    const { history } = grown();
    const before = history.hash;
    const change: ManifestChange = { kind: 'revoked', agency: 'alpha', reason: 'x' };
    const step = signStep(history.manifest, change, coordinator, verifySignature);
    expect(codeOf(() => history.extend(step))).toBe('wrong-signer');
    expect(history.hash).toBe(before);
  });

  it('is refused with a step taken out, changed or in another place', () => {
    const file = JSON.parse(JSON.stringify(grown().history.file())) as { steps: ManifestStep[] };
    const open = (steps: unknown[]) => () =>
      ManifestHistory.open({ ...file, steps }, coordinator.publicKey, verifySignature);
    const [first, second, third] = file.steps;
    expect(codeOf(open([first, second, third]))).toBe('done');
    for (const steps of [
      [second, third],
      [first, third],
      [second, first, third],
    ]) {
      expect(codeOf(open(steps))).not.toBe('done');
    }
    expect(codeOf(open([{ ...first, extra: 1 }]))).toBe('malformed-message');
  });
});

describe('the words of an enrolment', () => {
  const member = agency('beta', beta);
  it('are eight, of both keys, the area and the id', () => {
    const words = enrolmentWords(coordinator.publicKey, member);
    expect(words).toHaveLength(8);
    expect(sameWords(` ${words.join('  ').toUpperCase()} \n`, words)).toBe(true);
    expect(sameWords(words.slice(1).join(' '), words)).toBe(false);
    const others = [
      enrolmentWords(auditor.publicKey, member),
      enrolmentWords(coordinator.publicKey, { ...member, publicKey: alpha.publicKey }),
      enrolmentWords(coordinator.publicKey, { ...member, boxKey: newBoxKey() }),
      enrolmentWords(coordinator.publicKey, { ...member, domain: 'e'.repeat(64) }),
      enrolmentWords(coordinator.publicKey, { ...member, id: 'gamma' }),
    ];
    for (const other of others) expect(sameWords(other.join(' '), words)).toBe(false);
  });

  it('are fixed: another version must not say others', () => {
    const known: ManifestAgency = {
      ...member,
      id: 'my-force',
      publicKey: `${'A'.repeat(42)}E`,
      boxKey: `${'A'.repeat(42)}I`,
    };
    expect(enrolmentWords(`${'A'.repeat(42)}M`, known).join(' ')).toMatchInlineSnapshot(
      `"special advice dad duck fringe machine electric all"`,
    );
  });
});

describe('a token', () => {
  it('carries the coordinator’s key and the secret, and nothing else is one', () => {
    const token = { coordinator: coordinator.publicKey, secret: '0123456789abcdef'.repeat(2) };
    expect(parseToken(formatToken(token))).toEqual(token);
    for (const text of ['', 'concordat1', formatToken(token).slice(1), `${formatToken(token)}0`]) {
      expect(parseToken(text)).toBeUndefined();
    }
  });
});
