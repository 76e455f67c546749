import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { stringify } from 'yaml';
import { ConcordatError, canonicalBytes } from '#libs/bytes';
import { parseDomainFile } from '#libs/grid';
import { replaceFileSync } from '#libs/host';
import { loadBoxKey, loadSigningKey, verifySignature } from '#libs/keystore';
import { SignedClient, whileUnreachable } from '#libs/nest-kit';
import {
  type Enrolment,
  type EnrolmentPost,
  enrolmentWords,
  ManifestAgency,
  parseToken,
  seal,
} from '#libs/protocol';
import { loadConfig, nodePaths } from './config.js';

/** What the federation is told of an agency besides what lies in its folder. */
export interface Introduction {
  readonly name: string;
  readonly kind: string;
  readonly categories: readonly string[];
}

/**
 * Sends the enrolment of a folder to the coordinator whose token it was given, pins the key that the token carries, and returns the words to
 * compare. Sent again, it is the same enrolment. Throws `bad-token`, `other-coordinator`, `bad-argument`, and the coordinator's codes.
 */
export async function enrolNode(
  dir: string,
  url: string,
  tokenText: string,
  introduction: Introduction,
  nowMs: () => number,
): Promise<{ readonly agency: string; readonly words: string }> {
  const token = parseToken(tokenText);
  if (!token) {
    throw new ConcordatError(
      'bad-token',
      'not a token: it is one line that begins with concordat1, as concordat coordinator token prints it',
    );
  }
  const paths = nodePaths(dir);
  const config = loadConfig(dir);
  if (config.coordinator && config.coordinator.publicKey !== token.coordinator) {
    throw new ConcordatError(
      'other-coordinator',
      'this folder has pinned another coordinator; a folder belongs to one federation for ever',
    );
  }
  const key = loadSigningKey(paths.signingKey);
  const text = gunzipSync(readFileSync(paths.domain)).toString('utf8');
  const agency = ManifestAgency.safeParse({
    id: config.agency,
    ...introduction,
    publicKey: key.publicKey,
    boxKey: loadBoxKey(paths.boxKey).publicKey,
    domain: parseDomainFile(config.agency, text).hash,
  });
  if (!agency.success) {
    const [issue] = agency.error.issues;
    throw new ConcordatError(
      'bad-argument',
      `--${issue?.path[0]?.toString() ?? 'name'} is not as it must be; see --help`,
    );
  }
  const enrolment: Enrolment = {
    version: 1,
    agency: agency.data,
    coordinator: token.coordinator,
    at: new Date(nowMs()).toISOString(),
  };
  const post: EnrolmentPost = {
    version: 1,
    token: token.secret,
    enrolment: seal('enrolment', enrolment, key),
    domain: text,
  };
  const client = new SignedClient({
    url,
    id: config.agency,
    key,
    server: () => token.coordinator,
    verify: verifySignature,
    nowMs,
  });
  await whileUnreachable(async () => {
    try {
      await client.send('POST', '/v1/enrolments', canonicalBytes(post), 'application/json');
    } catch (error) {
      if (error instanceof ConcordatError) throw error;
      throw new ConcordatError('unreachable', `${new URL(url).host} does not answer`, {
        cause: error,
      });
    }
  });
  const pinned = { ...config, coordinator: { url, publicKey: token.coordinator } };
  replaceFileSync(paths.config, stringify(pinned));
  return {
    agency: config.agency,
    words: enrolmentWords(token.coordinator, agency.data).join(' '),
  };
}
