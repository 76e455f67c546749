/**
 * One holder's part in making a key with two others (`dealKey`, `finishKey` of the linkage lib) over letters. What is known so far is in
 * one sealed file, written before any letter that depends on it leaves, so a holder that was killed goes on with the same line.
 */

import { z } from 'zod';
import {
  ConcordatError,
  canonicalBytes,
  equalBytes,
  fromBase64url,
  parseCanonicalJson,
  toBase64url,
} from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import {
  dealKey,
  finishKey,
  type HolderIndex,
  type KeyContext,
  type KeyDealing,
  type KeyOpening,
  type KeyShare,
} from '#libs/linkage';
import type { LinkageBody, LinkageProject } from '#libs/protocol';
import type { SealedFolder } from './sealed-folder.js';

const FILE = 'key-making';

type Opened = Extract<LinkageBody, { kind: 'opening' }>;
type Indexed<T> = Map<HolderIndex, T>;

const Text = z.string().length(43);
const OpeningText = z.strictObject({
  constant: Text,
  slope: Text,
  proofNonce: Text,
  proofResponse: Text,
});
const Stored = z.strictObject({
  commitment: Text,
  opening: OpeningText,
  subshares: z.tuple([Text, Text, Text]),
  commitments: z.record(z.string(), Text),
  openings: z.record(z.string(), OpeningText.extend({ subshare: Text })),
});

const openingText = (opening: KeyOpening) => ({
  constant: toBase64url(opening.constant),
  slope: toBase64url(opening.slope),
  proofNonce: toBase64url(opening.proofNonce),
  proofResponse: toBase64url(opening.proofResponse),
});
const openingOf = (text: z.infer<typeof OpeningText>): KeyOpening => ({
  constant: fromBase64url(text.constant),
  slope: fromBase64url(text.slope),
  proofNonce: fromBase64url(text.proofNonce),
  proofResponse: fromBase64url(text.proofResponse),
});

const INDEXES: readonly HolderIndex[] = [1, 2, 3];

/** How the two others are asked. */
export type AskHolder = (index: HolderIndex, body: LinkageBody) => Promise<LinkageBody>;

export class KeyExchange {
  private constructor(
    readonly context: KeyContext,
    private readonly index: HolderIndex,
    private readonly folder: SealedFolder,
    private readonly dealing: KeyDealing,
    private readonly commitments: Indexed<Uint8Array>,
    private readonly openings: Indexed<{ opening: KeyOpening; subshare: Uint8Array }>,
  ) {}

  /** Goes on with what the folder holds, or deals. */
  static async open(
    project: LinkageProject,
    index: HolderIndex,
    folder: SealedFolder,
    random: RandomSource,
  ): Promise<KeyExchange> {
    const context = { project: project.project, epoch: project.epoch, holders: project.holders };
    const bytes = await folder.read(FILE);
    if (bytes) {
      const stored = Stored.parse(parseCanonicalJson(bytes));
      const [one, two, three] = stored.subshares.map(fromBase64url);
      return new KeyExchange(
        context,
        index,
        folder,
        {
          index,
          commitment: fromBase64url(stored.commitment),
          opening: openingOf(stored.opening),
          subshares: [one as Uint8Array, two as Uint8Array, three as Uint8Array],
        },
        new Map(
          Object.entries(stored.commitments).map(([i, text]) => [
            Number(i) as HolderIndex,
            fromBase64url(text),
          ]),
        ),
        new Map(
          Object.entries(stored.openings).map(([i, { subshare, ...opening }]) => [
            Number(i) as HolderIndex,
            { opening: openingOf(opening), subshare: fromBase64url(subshare) },
          ]),
        ),
      );
    }
    const dealing = dealKey(context, index, random);
    const own = { opening: dealing.opening, subshare: dealing.subshares[index - 1] as Uint8Array };
    const exchange = new KeyExchange(
      context,
      index,
      folder,
      dealing,
      new Map([[index, dealing.commitment]]),
      new Map([[index, own]]),
    );
    await exchange.save();
    return exchange;
  }

  /** Answers another holder's commitment with the own one. Throws `bad-dealing` when it committed to something else before. */
  async takeCommitment(from: HolderIndex, commitment: Uint8Array): Promise<LinkageBody> {
    const known = this.commitments.get(from);
    if (known && !equalBytes(known, commitment)) {
      throw new ConcordatError('bad-dealing', `holder ${from} committed twice`);
    }
    if (!known) {
      this.commitments.set(from, commitment);
      await this.save();
    }
    return this.ownCommitment();
  }

  /** Answers another holder's opening with the own one. Throws `not-yet` before all three commitments are known here. */
  async takeOpening(from: HolderIndex, body: Opened): Promise<LinkageBody> {
    if (this.commitments.size < 3) {
      throw new ConcordatError('not-yet', 'nobody opens before all three have committed');
    }
    if (!this.openings.has(from)) {
      const subshare = fromBase64url(body.subshare);
      this.openings.set(from, { opening: openingOf(body), subshare });
      await this.save();
    }
    return this.ownOpening(from);
  }

  /** Asks the two others until everything is here, then makes the share. Throws `bad-dealing`, naming the holder. */
  async finish(ask: AskHolder): Promise<KeyShare> {
    const others = INDEXES.filter((index) => index !== this.index);
    await Promise.all(
      others.map(async (other) => {
        if (this.commitments.has(other)) return;
        const said = await ask(other, this.ownCommitment());
        if (said.kind !== 'commitment')
          throw new ConcordatError('malformed-message', 'no commitment');
        await this.takeCommitment(other, fromBase64url(said.commitment));
      }),
    );
    await Promise.all(
      others.map(async (other) => {
        if (this.openings.has(other)) return;
        const said = await ask(other, this.ownOpening(other));
        if (said.kind !== 'opening') throw new ConcordatError('malformed-message', 'no opening');
        await this.takeOpening(other, said);
      }),
    );
    const each = <T>(pick: (index: HolderIndex) => T): [T, T, T] => [pick(1), pick(2), pick(3)];
    return finishKey(
      this.context,
      this.index,
      each((index) => this.commitments.get(index) as Uint8Array),
      each((index) => (this.openings.get(index) as { opening: KeyOpening }).opening),
      each((index) => (this.openings.get(index) as { subshare: Uint8Array }).subshare),
    );
  }

  static erase(folder: SealedFolder): void {
    folder.erase(FILE);
  }

  private ownCommitment(): LinkageBody {
    const { project, epoch } = this.context;
    const commitment = toBase64url(this.dealing.commitment);
    return { kind: 'commitment', project, epoch, commitment };
  }

  private ownOpening(to: HolderIndex): LinkageBody {
    const { project, epoch } = this.context;
    const subshare = toBase64url(this.dealing.subshares[to - 1] as Uint8Array);
    return { kind: 'opening', project, epoch, ...openingText(this.dealing.opening), subshare };
  }

  private save(): Promise<void> {
    const { commitment, opening, subshares } = this.dealing;
    return this.folder.write(
      FILE,
      canonicalBytes({
        commitment: toBase64url(commitment),
        opening: openingText(opening),
        subshares: subshares.map(toBase64url),
        commitments: Object.fromEntries(
          [...this.commitments].map(([index, bytes]) => [index, toBase64url(bytes)]),
        ),
        openings: Object.fromEntries(
          [...this.openings].map(([index, known]) => [
            index,
            { ...openingText(known.opening), subshare: toBase64url(known.subshare) },
          ]),
        ),
      }),
    );
  }
}
