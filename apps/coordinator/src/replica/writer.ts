/** What a replica fetches from the coordinator. Nothing of it is believed before it was verified. */
import { ConcordatError } from '#libs/bytes';
import { type ManifestStep, ManifestSteps } from '#libs/protocol';

const TIMEOUT_MS = 60_000;
const MAX_BYTES = 2 * 1024 * 1024 * 1024;

export class Writer {
  constructor(readonly url: string) {}

  /** A file below the prefix of the published log; undefined when there is none. Throws `unreachable`. */
  log(path: string): Promise<Uint8Array | undefined> {
    return this.get(`/v1/log/${path}`);
  }

  /** Throws `unreachable`. */
  blob(hash: string): Promise<Uint8Array | undefined> {
    return this.get(`/v1/blobs/${hash}`);
  }

  /** A gzipped domain file. Throws `unreachable`. */
  domain(hash: string): Promise<Uint8Array | undefined> {
    return this.get(`/v1/domains/${hash}`);
  }

  /** Throws `unreachable`, `malformed-message`. */
  async stepsAfter(serial: number): Promise<readonly ManifestStep[]> {
    const bytes = await this.get(`/v1/manifests?after=${serial}&wait=0`);
    const parsed = ManifestSteps.safeParse(
      JSON.parse(Buffer.from(bytes ?? []).toString('utf8') || 'null'),
    );
    if (parsed.success) return parsed.data.steps;
    throw new ConcordatError('malformed-message', 'the coordinator sent no steps of a manifest');
  }

  private async get(path: string): Promise<Uint8Array | undefined> {
    try {
      const response = await fetch(new URL(path, this.url), {
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.status === 404) return undefined;
      if (!response.ok || Number(response.headers.get('content-length') ?? 0) > MAX_BYTES)
        throw new Error(`status ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      throw new ConcordatError('unreachable', `${new URL(this.url).host} does not answer`, {
        cause,
      });
    }
  }
}
