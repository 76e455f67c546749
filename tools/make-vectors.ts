/**
 * Makes the vectors of messages that have none yet; run by hand, its output is committed and never made anew: other implementations hold it.
 *
 *   npm run build && node dist/tools/make-vectors.js
 *
 * A good message of each kind stands below. Its bad ones are made by rule: one member more, one less, another form, text that is not
 * canonical, and for envelopes another signature, signer and purpose. Each is kept with the code that the present code refuses it by.
 */
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import type { z } from 'zod';
import {
  canonicalJson,
  isConcordatError,
  parseCanonicalJson,
  toBase64url,
  utf8ToBytes,
} from '#libs/bytes';
import * as protocol from '#libs/protocol';

const DIR = 'libs/protocol/vectors/v1';

const signerOf = (name: string): protocol.MessageSigner => {
  const secret = createHash('sha256').update(`concordat vectors ${name}`).digest();
  return {
    publicKey: toBase64url(ed25519.getPublicKey(secret)),
    sign: (message) => ed25519.sign(message, secret),
  };
};
const signer = signerOf('signer');
const other = signerOf('other');

const digest = (name: string): string => createHash('sha256').update(name).digest('hex');
const bytes32 = (name: string): string => toBase64url(createHash('sha256').update(name).digest());
const bytes64 = (name: string): string => toBase64url(createHash('sha512').update(name).digest());
const round = 'ab'.repeat(16);
const at = '2026-03-01T09:00:00.000Z';
const about = { round, manifest: digest('manifest'), fingerprint: digest('question') };
const groups = [{ category: 'robbery', period: '2024-01' }];
const contributors = ['alpha', 'beta', 'gamma'].map((agency) => ({
  agency,
  answer: digest(`answer ${agency}`),
  masked: digest(`masked ${agency}`),
}));
const answer = { ...about, ...contributors[0] };
const project = {
  version: 1,
  project: 'harm',
  epoch: '2026-q1',
  manifest: about.manifest,
  holders: ['auditor', 'alpha', 'beta'],
  left: 'alpha',
  right: 'beta',
};
const ofEpoch = { project: 'harm', epoch: '2026-q1' };
const part = {
  role: 'holder',
  state: 'holds-share',
  done: 0,
  total: 0,
  code: null,
  publicKey: bytes32('key'),
};
const linked = {
  naive: 12,
  corrected: 14,
  low: -2,
  high: 31,
  method: 'basic',
  noiseScale: '7/2',
  counts: [{ key: 'FSDL', shared: 12, decoys: null, relativesLeft: null, relativesRight: null }],
  categories: { left: ['asb'], right: ['asb', 'violence'] },
};
const letter = (body: object, answers: string | null = null) => ({
  version: 1,
  id: '01'.repeat(16),
  answers,
  from: 'alpha',
  to: 'auditor',
  body,
});
const instruction = protocol.seal('linkage', { action: 'keygen', project, at }, signer);
const unmask = protocol.seal('unmask', { ...about, contributors }, signer);
const box = bytes64('a box');
const replies = '02'.repeat(16);

/** Good messages by the name of their schema; with a purpose they are payloads, to be signed. */
const MESSAGES: Readonly<Record<string, { purpose?: protocol.Purpose; good: readonly object[] }>> =
  {
    LinkageLetter: {
      good: [
        letter({ kind: 'instruction', signed: instruction }),
        letter({ kind: 'parts', parts: [part] }, replies),
        letter({ kind: 'commitment', ...ofEpoch, commitment: bytes32('commitment') }),
        letter({
          kind: 'opening',
          ...ofEpoch,
          constant: bytes32('constant'),
          slope: bytes32('slope'),
          proofNonce: bytes32('nonce'),
          proofResponse: bytes32('response'),
          subshare: bytes32('subshare'),
        }),
        letter({ kind: 'ask-keys', ...ofEpoch }),
        letter(
          {
            kind: 'keys',
            publicKey: bytes32('key'),
            sharePublicKeys: [bytes32('1'), bytes32('2'), bytes32('3')],
          },
          replies,
        ),
        letter({ kind: 'declaration', ...ofEpoch, people: 250, keys: 9 }),
        letter({
          kind: 'batch',
          ...ofEpoch,
          sequence: 1,
          pair: [1, 2],
          elements: bytes32('element'),
        }),
        letter(
          {
            kind: 'evaluation',
            index: 1,
            evaluated: bytes32('evaluated'),
            proof: bytes64('proof'),
          },
          replies,
        ),
        letter({ kind: 'done' }, replies),
        letter({ kind: 'refused', code: 'quota-exhausted' }, replies),
      ],
    },
    LinkageMail: { good: [{ items: [] }, { items: [{ sequence: 1, from: 'alpha', box }] }] },
    LinkagePost: { good: [{ to: 'auditor', box }] },
    LinkageStatus: {
      good: [
        {
          project,
          parts: [
            { process: 'auditor', parts: [part], code: null },
            { process: 'alpha', parts: [], code: 'no-answer' },
          ],
        },
      ],
    },
    LinkedAnswer: { good: [{ version: 1, boxes: [box, box] }] },
    LinkedSet: {
      good: ['people', 'decoys'].map((kind) => ({
        version: 1,
        fingerprint: about.fingerprint,
        agency: 'alpha',
        pair: digest('pair'),
        key: 'FSDL',
        kind,
        relatives: kind === 'people' ? 3 : null,
        labels: bytes32('labels'),
      })),
    },
    PolicyApproval: {
      good: [
        {
          agency: 'alpha',
          policyDigest: digest('policy'),
          documents: { policy: digest('policy file'), federation: digest('federation file') },
        },
      ],
    },
    ReleaseHeader: {
      good: [
        {
          version: 1,
          round,
          manifest: about.manifest,
          fingerprint: about.fingerprint,
          query: {
            version: 1,
            measure: 'incidents',
            categories: ['robbery'],
            periods: ['2024-01'],
            resolution: 9,
            grid: 'ew-2026-1',
            gridHash: digest('grid'),
            rho: '1/8',
            purpose: 'hotspot-policing',
          },
          sentence: 'Count robbery.',
          coverage: [
            {
              agency: 'alpha',
              name: 'Alpha Police',
              status: 'answered',
              code: null,
              categories: ['robbery'],
              periods: ['2024-01'],
              rhoSpent: '1/8',
              privacy: { unit: 'incident', maxPerRelease: 1, maxPerYear: 1 },
              answer: digest('answer alpha'),
              receipt: digest('receipt'),
            },
          ],
          privacy: {
            unit: 'incident',
            rho: '1/8',
            epsilon: '2.6',
            exactEpsilon: '2.2',
            delta: '1e-6',
          },
          classes: [
            {
              agencies: ['alpha'],
              domain: digest('d'),
              variance: digest('v'),
              rawVariance: digest('r'),
            },
          ],
          groups: [
            {
              ...groups[0],
              coverageClass: 0,
              raw: digest('raw'),
              estimate: digest('e'),
              integer: digest('i'),
            },
          ],
        },
      ],
    },
    LinkedRelease: {
      good: [linked, { ...linked, corrected: null, low: null, high: null, method: null }],
    },
    SignedForecastOrder: {
      purpose: 'forecast',
      good: [
        {
          action: 'disable',
          layer: 'a-layer',
          analyst: 'an-analyst',
          manifest: about.manifest,
          at,
          reason: 'over',
        },
      ],
    },
    SignedLinkageInstruction: { purpose: 'linkage', good: [{ action: 'run', project, at }] },
    SignedSeed: {
      purpose: 'seed',
      good: [
        {
          ...answer,
          resolution: 9,
          groups,
          values: 12,
          deadline: '2026-03-01T10:00:00.000Z',
          box: 'A'.repeat(96),
        },
      ],
    },
    SignedSeedReceipt: { purpose: 'seed-receipt', good: [{ ...answer, layout: digest('layout') }] },
    SignedUnmask: { purpose: 'unmask', good: [{ ...about, contributors }] },
    SignedUnmasked: {
      purpose: 'unmasked',
      good: [{ ...about, contributors, sums: [{ ...groups[0], digest: digest('sum') }] }],
    },
    UnmaskRefusal: { good: [{ ...about, code: 'quorum' }] },
    Unmaskings: { good: [{ items: [] }, { items: [unmask] }] },
    Upload: {
      good: [
        { offset: 0, complete: false },
        { offset: 4096, complete: true },
      ],
    },
  };

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Every way of one step to spoil a document: its name, and the document. */
function spoilt(value: Json, path: string): { name: string; value: Json }[] {
  if (Array.isArray(value)) {
    const [first] = value;
    return [
      { name: `bad_${path}_not_a_list`, value: { 0: first ?? null } },
      ...(first === undefined
        ? []
        : spoilt(first, `${path}.0`).map(({ name, value: changed }) => ({
            name,
            value: [changed, ...value.slice(1)],
          }))),
    ];
  }
  if (typeof value !== 'object' || value === null)
    return [{ name: `bad_${path}_of_another_form`, value: { not: 'this' } }];
  const inner = (name: string): string => (path === 'message' ? name : `${path}.${name}`);
  return [
    { name: `bad_${path}_extra_key`, value: { ...value, extra: 1 } },
    ...Object.keys(value).flatMap((name) => {
      const { [name]: member = null, ...rest } = value;
      return [
        { name: `bad_${path}_without_${name}`, value: rest },
        ...spoilt(member, inner(name)).map((one) => ({
          name: one.name,
          value: { ...value, [name]: one.value },
        })),
      ];
    }),
  ];
}

/** The code by which a receiver refuses a text; undefined when it takes it. */
function refusal(schema: z.ZodType, text: string): string | undefined {
  try {
    const parsed = schema.safeParse(parseCanonicalJson(utf8ToBytes(text)));
    return parsed.success ? undefined : 'malformed-message';
  } catch (error) {
    if (isConcordatError(error)) return error.code;
    throw error;
  }
}

function vectorsOf(
  message: string,
  purpose: protocol.Purpose | undefined,
  good: readonly object[],
) {
  const schema = (protocol as Record<string, unknown>)[message] as z.ZodType;
  const documents = good.map((payload) =>
    purpose ? protocol.seal(purpose, payload, signer) : payload,
  );
  const texts = documents.map((document) => canonicalJson(document));
  const [first = ''] = texts;
  const bad: { name: string; text: string; code: string }[] = [];
  const add = (name: string, text: string, code = refusal(schema, text)): void => {
    if (code !== undefined && !bad.some((one) => one.text === text)) bad.push({ name, text, code });
  };
  for (const text of texts) {
    for (const { name, value } of spoilt(JSON.parse(text), 'message'))
      add(name, canonicalJson(value));
  }
  add('bad_white_space', first.replace(':', ': '));
  add('bad_trailing_newline', `${first}\n`);
  const member = /^\{("[^"]+":(?:"[^"]*"|\d+|true|false|null)),/.exec(first)?.[1];
  if (member) add('bad_duplicate_key', `{${member},${first.slice(1)}`);
  if (purpose) {
    const [payload = {}] = good;
    const signed = protocol.seal(purpose, payload, signer);
    const envelope = (changed: object) => canonicalJson({ ...signed, ...changed });
    const flipped = `${signed.signature.startsWith('A') ? 'B' : 'A'}${signed.signature.slice(1)}`;
    add('bad_signature', envelope({ signature: flipped }), 'bad-signature');
    add('bad_signer', canonicalJson(protocol.seal(purpose, payload, other)), 'wrong-signer');
    const elsewhere = protocol.seal(purpose === 'task' ? 'offer' : 'task', payload, signer);
    add('bad_purpose', canonicalJson(elsewhere), 'bad-signature');
  }
  return {
    message,
    ...(purpose ? { purpose, publicKey: signer.publicKey } : {}),
    good: texts,
    bad,
  };
}

for (const [message, { purpose, good }] of Object.entries(MESSAGES)) {
  const path = join(DIR, `${message}.json`);
  if (existsSync(path)) continue;
  writeFileSync(path, `${JSON.stringify(vectorsOf(message, purpose, good), null, 2)}\n`);
  process.stderr.write(`${path}\n`);
}
