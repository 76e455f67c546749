import { type Chunk, decodeChunk } from '#libs/grid';

/** What the coordinator says of a release at `/v1/releases`. */
export interface Release {
  readonly id: string;
  /** Of the question. */
  readonly fingerprint: string;
  readonly query: {
    readonly measure: string;
    readonly categories: readonly string[];
    readonly periods: readonly string[];
    readonly resolution: number;
    readonly purpose: string;
    /** Privacy cost per agency, an exact rational of zCDP rho. */
    readonly rho: string;
  };
  /** What it has counts of. */
  readonly groups: readonly { readonly category: string; readonly period: string }[];
  readonly sentence: string;
  readonly grid: string;
  readonly gridHash: string;
  readonly privacy: {
    readonly unit: string;
    readonly rho: string;
    readonly epsilon: number;
    readonly delta: number;
  };
  readonly agencies: readonly {
    readonly id: string;
    readonly name: string;
    readonly status: 'contributed' | 'refused' | 'missing';
    readonly code?: string;
  }[];
  readonly releasedAt: string;
}

/** Domain total and class limits of a layer at one resolution. */
export interface Summary {
  readonly total: {
    readonly estimate: number;
    readonly standardError: number;
    readonly partial: boolean;
  } | null;
  readonly breaks: readonly number[];
}

/** One layer of one release at one resolution. */
export interface LayerAddress {
  readonly release: string;
  readonly layer: string;
  readonly period: string;
  readonly resolution: number;
}

/** The coordinator answered, but not with what was asked for. */
class RequestFailed extends Error {
  override readonly name = 'RequestFailed';
}

async function get(path: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(path, { signal, credentials: 'same-origin' });
  if (!response.ok) {
    const problem: unknown = await response.json().catch(() => undefined);
    const title =
      typeof problem === 'object' && problem !== null && 'title' in problem
        ? String(problem.title)
        : `status ${response.status}`;
    throw new RequestFailed(title);
  }
  return response;
}

const pathOf = ({ release, layer, period, resolution }: LayerAddress): string =>
  `/v1/grid/${[release, layer, period].map(encodeURIComponent).join('/')}/${resolution}`;

export const fetchReleases = async (signal: AbortSignal): Promise<Release[]> =>
  (await get('/v1/releases', signal)).json();

export const fetchCells = async (release: string, signal: AbortSignal): Promise<string> =>
  (await get(`/v1/grid/${encodeURIComponent(release)}/cells`, signal)).text();

export const fetchSummary = async (address: LayerAddress, signal: AbortSignal): Promise<Summary> =>
  (await get(pathOf(address), signal)).json();

/** Refuses a chunk of another place or resolution than was asked for. */
export async function fetchChunk(
  address: LayerAddress,
  parent: bigint,
  signal: AbortSignal,
): Promise<Chunk> {
  const name = parent === 0n ? 'domain' : parent.toString(16);
  const response = await get(`${pathOf(address)}/${name}`, signal);
  const chunk = decodeChunk(new Uint8Array(await response.arrayBuffer()));
  if (chunk.parent !== parent || chunk.resolution !== address.resolution) {
    throw new RequestFailed('the answer is not of the place that was asked for');
  }
  return chunk;
}
