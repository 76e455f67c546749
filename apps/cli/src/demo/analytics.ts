/** What the demo shows of analytics: hot spots, and a forecast that nobody has answered for yet. */
import { z } from 'zod';
import { isConcordatError } from '#libs/bytes';
import { graphql } from '../graphql-client.js';
import type { DemoAnalytics } from './report.js';

/** Coarse enough for a rare category, fine enough for a neighbourhood: about three quarters of a square kilometre. */
const RESOLUTION = 8;
/** The category with the most incidents of those that are usually asked. */
const PREFERRED = 'violence';
/** Times that the coordinator is asked to wait 20 s for a layer. */
const PATIENCE = 6;

const Layer = z.object({
  key: z.string(),
  status: z.string(),
  code: z.string().nullable(),
  summary: z.string().nullable(),
});
const Summary = z.object({ cells: z.int(), hotCells: z.int() });

const HOTSPOTS = `query ($releases: [ID!]!, $category: String!, $resolution: Int!) {
  hotspots(releases: $releases, category: $category, resolution: $resolution, waitSeconds: 20) { key status code summary }
}`;

/** Asks for hot spots of one category of a release, and for a forecast. */
export async function demoAnalytics(
  url: string,
  release: {
    readonly id: string;
    readonly categories: readonly string[];
    readonly resolution: number;
  },
): Promise<DemoAnalytics> {
  const category = release.categories.includes(PREFERRED)
    ? PREFERRED
    : (release.categories[0] ?? PREFERRED);
  const resolution = Math.min(RESOLUTION, release.resolution);
  let layer: z.infer<typeof Layer> | undefined;
  for (let asked = 0; asked < PATIENCE; asked++) {
    const reply = await graphql(
      url,
      HOTSPOTS,
      { releases: [release.id], category, resolution },
      z.object({ hotspots: Layer }),
    );
    layer = reply.hotspots;
    if (layer.status !== 'waiting' && layer.status !== 'running') break;
  }
  const isDone = layer?.status === 'done' && layer.summary !== null;
  const { cells, hotCells } = isDone
    ? Summary.parse(JSON.parse(layer?.summary ?? ''))
    : { cells: 0, hotCells: 0 };
  return {
    hotspots: {
      category,
      resolution,
      key: isDone ? (layer?.key ?? null) : null,
      cells,
      hotCells,
      code: isDone ? null : (layer?.code ?? 'too-slow'),
    },
    forecast: await forecastAnswer(url, release.id),
  };
}

/** How a forecast of a layer that nobody switched on is answered. */
async function forecastAnswer(url: string, release: string): Promise<string> {
  try {
    await graphql(
      url,
      'query ($releases: [ID!]!) { forecast(layer: "demo", releases: $releases) { status } }',
      { releases: [release] },
      z.object({ forecast: z.object({ status: z.string() }) }),
    );
    return 'on';
  } catch (error) {
    if (isConcordatError(error)) return error.code;
    throw error;
  }
}
