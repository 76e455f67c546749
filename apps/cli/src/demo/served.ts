/** What the demo reads back from its coordinator: the release, its busiest cells, the logs. */
import { z } from 'zod';
import { bytesToHex } from '#libs/bytes';
import { parseCheckpoint } from '#libs/tlog';
import { graphql, jsonOf, reach } from '../graphql-client.js';
import type { DemoReport, TopCell } from './report.js';

const Estimate = {
  estimate: z.number(),
  standardError: z.number(),
  low: z.number(),
  high: z.number(),
  integer: z.int(),
};
const ReleaseReply = z.object({
  release: z.object({
    id: z.string(),
    fingerprint: z.string(),
    sentence: z.string(),
    grid: z.string(),
    gridHash: z.string(),
    resolution: z.int(),
    categories: z.array(z.string()),
    periods: z.array(z.string()),
    sealed: z.boolean(),
    domainCells: z.int(),
    nonZeroCells: z.int(),
    privacy: z.object({
      unit: z.string(),
      rho: z.string(),
      epsilon: z.number(),
      delta: z.number(),
    }),
    total: z.object(Estimate),
  }),
});

export const readRelease = async (url: string, id: string) =>
  (
    await graphql(
      url,
      `query ($id: ID!) { release(id: $id) {
        id fingerprint sentence grid gridHash resolution categories periods sealed domainCells nonZeroCells
        privacy { unit rho epsilon delta } total { estimate standardError low high integer }
      } }`,
      { id },
      ReleaseReply,
    )
  ).release;

export const readTop = async (url: string, id: string, resolution: number): Promise<TopCell[]> =>
  (
    await graphql(
      url,
      `query ($id: ID!, $resolution: Int!) { cells(release: $id, resolution: $resolution, orderBy: "estimate", first: 10) {
        nodes { id estimate standardError low high integer }
      } }`,
      { id, resolution },
      z.object({ cells: z.object({ nodes: z.array(z.object({ id: z.string(), ...Estimate })) }) }),
    )
  ).cells.nodes;

/** Newest checkpoint of every log of the federation, as the coordinator relays them. */
export async function readLogs(url: string): Promise<DemoReport['logs']> {
  const Relayed = z.object({
    checkpoints: z.array(z.object({ origin: z.string(), note: z.string() })),
  });
  const reply = Relayed.parse(await jsonOf(await reach(new URL('/v1/checkpoints', url))));
  return reply.checkpoints
    .map(({ note }) => parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1)))
    .map(({ origin, size, root }) => ({ origin, size: Number(size), root: bytesToHex(root) }))
    .sort((a, b) => (a.origin < b.origin ? -1 : 1));
}
