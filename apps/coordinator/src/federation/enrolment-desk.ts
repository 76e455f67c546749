import { randomBytes } from 'node:crypto';
import { ConcordatError, canonicalBytes, canonicalJson, parseCanonicalJson } from '#libs/bytes';
import { type Domain, intersectDomains, parseDomainFile } from '#libs/grid';
import { verifySignature } from '#libs/keystore';
import {
  type EnrolmentPost,
  enrolmentWords,
  formatToken,
  keyFingerprint,
  openEnrolment,
  SignedEnrolment,
  sameWords,
  tokenHash,
} from '#libs/protocol';
import type { Entry, EntryOf } from '#libs/tlog';
import type { Coordinator } from '../coordinator.js';
import { nationalDomain } from './national-domain.js';
import type { Succession } from './succession.js';

const HOUR_MS = 3_600_000;

const refuse = (code: string, why: string): never => {
  throw new ConcordatError(code, why);
};

/** An agency that waits for a person to compare its words. */
export interface Enrolling {
  readonly agency: string;
  readonly name: string;
  readonly kind: string;
  readonly categories: readonly string[];
  readonly cells: number;
  readonly receivedAt: string;
  readonly words: string;
}

/**
 * From the token to the agency in the manifest: tokens and enrolments that wait, as a fold of the log. Nobody is enrolled by a machine: a
 * person confirms with the words that the agency's own operator reads out.
 */
export class EnrolmentDesk {
  private readonly tokens = new Map<string, EntryOf<'token.issued'>>();
  /** By the hash of the token that each came with. */
  private readonly received = new Map<string, EntryOf<'enrolment.received'>>();
  /** By agency. */
  private readonly waiting = new Map<string, EntryOf<'enrolment.received'>>();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly coordinator: Pick<
      Coordinator,
      'append' | 'blobs' | 'config' | 'federation' | 'key' | 'nowMs'
    >,
    private readonly succession: Succession,
    /** Hears the code of every enrolment and confirmation that is refused. */
    private readonly onRefused: (code: string) => void,
  ) {}

  /** Applies an entry of the log. */
  fold(entry: Entry): void {
    if (entry.kind === 'token.issued') this.tokens.set(entry.tokenHash, entry);
    if (entry.kind === 'enrolment.received') {
      this.received.set(entry.tokenHash, entry);
      this.waiting.set(entry.agency, entry);
    }
    if (entry.kind === 'enrolment.declined' || entry.kind === 'enrol') {
      this.waiting.delete(entry.agency);
    }
  }

  /** A new one-time token for one agency; only its hash is kept. Throws `id-taken`. */
  async issueToken(agency: string, hours: number): Promise<{ token: string; expiresAt: string }> {
    const { config, federation, key, nowMs } = this.coordinator;
    const { coordinator, auditor, agencies, analysts, formerKeys } = federation.manifest;
    const known = [coordinator, auditor, ...agencies, ...analysts, ...formerKeys];
    if (known.some(({ id }) => id === agency)) {
      refuse('id-taken', 'this id is, or was, of another member; choose a new one');
    }
    const secret = randomBytes(16).toString('hex');
    const expiresAt = new Date(nowMs() + hours * HOUR_MS).toISOString();
    await this.log({
      kind: 'token.issued',
      at: this.now(),
      actor: config.id,
      agency,
      tokenHash: tokenHash(secret),
      expiresAt,
    });
    return { token: formatToken({ coordinator: key.publicKey, secret }), expiresAt };
  }

  /** Whether a secret is that of a token: asked before anything costlier is done for a stranger. */
  knowsToken(secret: string): boolean {
    return this.tokens.has(tokenHash(secret));
  }

  /**
   * Takes an enrolment with its token. The same one again changes nothing. Throws `bad-token`, `token-expired`, `token-used`,
   * `token-of-another`, `wrong-domain`, `outside-grid`, and what `openEnrolment` throws.
   */
  receive(post: EnrolmentPost): Promise<void> {
    return this.inTurn(() => this.take(post));
  }

  /** Enrolments that wait for a person, with the words to compare. */
  async list(): Promise<Enrolling[]> {
    const { federation, key } = this.coordinator;
    const all = [...this.waiting.values()].map(async ({ at, enrolment }) => {
      const { agency } = (await this.load(enrolment)).payload;
      const { id, name, kind, categories } = agency;
      const words = enrolmentWords(key.publicKey, agency).join(' ');
      const cells = federation.domainOf(agency).cells.length;
      return { agency: id, name, kind, categories, cells, receivedAt: at, words };
    });
    return Promise.all(all);
  }

  /**
   * Enrols an agency whose operator read these words out. Returns the serial of the new manifest. Throws `no-such-enrolment`,
   * `words-mismatch`, and what `Succession.publish` throws.
   */
  confirm(agency: string, words: string, witness: boolean): Promise<number> {
    return this.inTurn(async () => {
      const enrolment = await this.load(this.waitingOf(agency).enrolment);
      const known = enrolmentWords(this.coordinator.key.publicKey, enrolment.payload.agency);
      if (!sameWords(words, known)) {
        this.onRefused('words-mismatch');
        refuse(
          'words-mismatch',
          'these are not the words of the enrolment that arrived; if they were read out rightly, somebody stands between: decline it and issue a new token',
        );
      }
      const serial = await this.succession.publish({ kind: 'enrolled', enrolment, witness });
      this.waiting.delete(agency);
      return serial;
    });
  }

  /** Sends an agency away. Throws `no-such-enrolment`. */
  decline(agency: string, reason: string): Promise<void> {
    return this.inTurn(async () => {
      const { keyFingerprint: key } = this.waitingOf(agency);
      const { id: actor } = this.coordinator.config;
      const about = { at: this.now(), actor, agency, keyFingerprint: key, reason };
      await this.log({ kind: 'enrolment.declined', ...about });
    });
  }

  private async take(post: EnrolmentPost): Promise<void> {
    const { federation, nowMs, config, blobs } = this.coordinator;
    const { agency } = post.enrolment.payload;
    const hash = tokenHash(post.token);
    const token = this.tokens.get(hash);
    try {
      if (!token) return refuse('bad-token', 'this token was not issued here; ask for a new one');
      if (token.agency !== agency.id)
        refuse('token-of-another', 'this token was issued for another agency');
      const earlier = this.received.get(hash);
      if (earlier) {
        const known = (await this.load(earlier.enrolment)).payload.agency;
        const isSame = canonicalJson(known) === canonicalJson(agency);
        return isSame ? undefined : refuse('token-used', 'a token is good once; ask for a new one');
      }
      if (Date.parse(token.expiresAt) < nowMs())
        refuse('token-expired', 'this token is too old; ask for a new one');
      openEnrolment(post.enrolment, federation.manifest, verifySignature);
      federation.keepDomain(this.domainOf(post));
      await this.log({
        kind: 'enrolment.received',
        at: this.now(),
        actor: config.id,
        agency: agency.id,
        tokenHash: hash,
        keyFingerprint: keyFingerprint(agency.publicKey),
        enrolment: await blobs.put(canonicalBytes(post.enrolment)),
      });
    } catch (error) {
      if (error instanceof ConcordatError) this.onRefused(error.code);
      throw error;
    }
  }

  /** The area that came along, which must be the one that was signed for and lie within the national grid. */
  private domainOf({ domain: text, enrolment }: EnrolmentPost): Domain {
    const { agency } = enrolment.payload;
    const domain = parseDomainFile(agency.id, text);
    if (domain.hash !== agency.domain)
      refuse('wrong-domain', 'the domain file is not the one that the enrolment names');
    const national = nationalDomain(this.coordinator.federation.manifest.grid.hash);
    if (national && intersectDomains(domain.name, [domain, national]).hash !== domain.hash)
      refuse('outside-grid', 'the area has cells outside the national grid');
    return domain;
  }

  private waitingOf(agency: string): EntryOf<'enrolment.received'> {
    return (
      this.waiting.get(agency) ??
      refuse(
        'no-such-enrolment',
        'no enrolment of this agency waits; see: concordat coordinator enrolments',
      )
    );
  }

  private async load(blob: string): Promise<SignedEnrolment> {
    return SignedEnrolment.parse(parseCanonicalJson(await this.coordinator.blobs.get(blob)));
  }

  private async log(entry: Entry): Promise<void> {
    await this.coordinator.append(entry);
    this.fold(entry);
  }

  private now(): string {
    return new Date(this.coordinator.nowMs()).toISOString();
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.turn.then(work);
    this.turn = run.catch(() => undefined);
    return run;
  }
}
