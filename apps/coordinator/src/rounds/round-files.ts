import { z } from 'zod';
import { ConcordatError, canonicalBytes, parseCanonicalJson } from '#libs/bytes';
import type { Blobs } from '#libs/journal';
import { Group, Receipt, SignedAssertion, SignedUnmasked, signedSchema } from '#libs/protocol';
import { Query } from '#libs/query';
import type { AcceptedContribution } from './round.js';

const Question = z.strictObject({ query: Query, assertion: SignedAssertion });
type Question = z.infer<typeof Question>;

const Contribution = z.strictObject({ groups: z.array(Group), receipt: signedSchema(Receipt) });

/**
 * What the log of a round names by hash: the question as it was asserted, and each contribution that was accepted. Unlike the blobs of
 * releases they are served to nobody.
 */
export class RoundFiles {
  constructor(private readonly blobs: Blobs) {}

  putQuestion(question: Question): Promise<string> {
    return this.blobs.put(canonicalBytes(question));
  }

  /** Throws `blob-missing` or `blob-corrupt`. */
  question(digest: string): Promise<Question> {
    return this.read(digest, Question);
  }

  putContribution({ groups, receipt }: AcceptedContribution): Promise<string> {
    return this.blobs.put(canonicalBytes({ groups, receipt }));
  }

  /** Throws `blob-missing` or `blob-corrupt`. */
  contribution(digest: string): Promise<AcceptedContribution> {
    return this.read(digest, Contribution);
  }

  /** What the auditor signed about the masks of a sealed round. */
  putUnmasked(unmasked: SignedUnmasked): Promise<string> {
    return this.blobs.put(canonicalBytes(unmasked));
  }

  /** Throws `blob-missing` or `blob-corrupt`. */
  unmasked(digest: string): Promise<SignedUnmasked> {
    return this.read(digest, SignedUnmasked);
  }

  private async read<T extends z.ZodType>(digest: string, schema: T): Promise<z.infer<T>> {
    const parsed = schema.safeParse(parseCanonicalJson(await this.blobs.get(digest)));
    if (parsed.success) return parsed.data;
    throw new ConcordatError('blob-corrupt', 'a file of a round is not of this version');
  }
}
