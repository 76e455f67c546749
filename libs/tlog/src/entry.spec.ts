import { describe, expect, it } from '@jest/globals';
import { canonicalBytes, utf8ToBytes } from '#libs/bytes';
import { decodeEntry, type Entry, encodeEntry, MAX_ENTRY_BYTES } from './index.js';

const hex = (digit: string): string => digit.repeat(64);
const s62 = {
  at: '2026-03-29T00:59:59.999Z',
  actor: 'node avon-and-somerset-police',
  recipient: 'coordinator',
  purpose: 'hotspot-policing',
} as const;
const release: Entry = {
  kind: 'release.made',
  verb: 'disclosure',
  ...s62,
  fingerprint: hex('a'),
  versionDigest: hex('b'),
  dataset: 'incidents',
  rho: '1/8',
  grant: 'hotspot-policing',
  policyDigest: hex('c'),
  valueDigest: hex('d'),
  blob: hex('e'),
  mechanism: 'discrete-gaussian',
  privacy: { unit: 'incident', maxPerRelease: 1, maxPerYear: 1 },
  reservation: '18446744073709551615',
};

describe('log entries', () => {
  it('come back from their canonical bytes', () => {
    expect(decodeEntry(encodeEntry(release))).toEqual(release);
    expect(encodeEntry({ ...release })).toEqual(canonicalBytes(release));
  });

  it.each([
    { at: '2026-03-29T00:59:59Z' },
    { at: '2026-02-30T00:00:00.000Z' },
    { at: '2026-03-29T00:59:59.999+01' },
    { verb: 'consultation' },
    { rho: '0' },
    { rho: '-1/8' },
    { rho: '0.125' },
    { reservation: '01' },
    { reservation: 7 },
    { fingerprint: hex('A') },
    { actor: 'two\nlines' },
    { actor: ' padded' },
    { actor: 'cafe\u0301' },
    { count: 12 },
    { kind: 'release.unmade' },
  ])('refuse %j', (change) => {
    const bytes = canonicalBytes({ ...release, ...change });
    const act = () => decodeEntry(bytes);
    expect(act).toThrow(expect.objectContaining({ code: 'bad-entry' }));
    expect(() => encodeEntry({ ...release, ...change } as Entry)).toThrow(
      expect.objectContaining({ code: 'bad-entry' }),
    );
  });

  it('refuse another spelling and repeated members', () => {
    const text = new TextDecoder().decode(encodeEntry(release));
    for (const other of [` ${text}`, text.replace('{', '{"actor":"x",'), `${text}\n`]) {
      expect(() => decodeEntry(utf8ToBytes(other))).toThrow(
        expect.objectContaining({ code: 'not-canonical' }),
      );
    }
  });

  it('stay within 60 KiB', () => {
    const coverage = Array.from({ length: 400 }, (_, i) => ({
      agency: `agency-${i}-${'x'.repeat(50)}`,
      status: 'refused' as const,
    }));
    const closed: Entry = {
      kind: 'round.closed',
      at: s62.at,
      actor: 'coordinator',
      round: 'r1',
      coverage,
    };
    const received: Entry = {
      kind: 'query.received',
      verb: 'consultation',
      at: s62.at,
      actor: s62.actor,
      recipient: s62.recipient,
      purpose: s62.purpose,
      fingerprint: '0'.repeat(64),
      round: 'r1',
      analyst: 'analyst-1',
      query: '\u{20000}'.repeat(20_000),
    };
    expect(() => encodeEntry(received)).toThrow(
      expect.objectContaining({ code: 'entry-too-large' }),
    );
    expect(() => decodeEntry(new Uint8Array(MAX_ENTRY_BYTES + 1))).toThrow(
      expect.objectContaining({ code: 'entry-too-large' }),
    );
    expect(encodeEntry(closed).length).toBeLessThan(MAX_ENTRY_BYTES);
  });
});
