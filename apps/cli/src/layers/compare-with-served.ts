/** What the coordinator serves of a layer beside what was computed here; a layer that it has not computed it is asked for. */
import process from 'node:process';
import { z } from 'zod';
import { ConcordatError, equalBytes } from '#libs/bytes';
import { type LayerRequest, layerKey } from '#libs/layers';
import { bodyOf, graphql, reach } from '../graphql-client.js';

/** The longest that the coordinator lets one request wait. */
const WAIT_SECONDS = 20;

const Asked = z.object({
  layer: z.object({
    key: z.string(),
    status: z.enum(['waiting', 'running', 'done', 'failed', 'cancelled']),
    code: z.string().nullable(),
    message: z.string().nullable(),
  }),
});

/** The field of GraphQL that asks for the same; what a forecast is of, and the deprivation file, the coordinator knows itself. */
function fieldOf({ method, parameters, releases }: LayerRequest, layer: string | undefined) {
  const { deprivation: _, ...own } = parameters as Readonly<Record<string, unknown>>;
  const { from, to } = own;
  const given = layer === undefined ? own : { layer, from, to };
  const texts = Object.entries({ releases, ...given, waitSeconds: WAIT_SECONDS })
    .filter(([, value]) => value !== undefined)
    // Numbers, texts and lists of texts are written alike in JSON and in GraphQL.
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return `${method}(${texts.join(', ')})`;
}

/** Returns when the coordinator has computed the layer. Throws `differs` (it computes another one), `cancelled` and the coordinator's codes. */
async function askFor(
  url: string,
  request: LayerRequest,
  layer: string | undefined,
): Promise<void> {
  process.stderr.write('The coordinator has not computed this yet: asking it to.\n');
  for (;;) {
    const asked = await graphql(
      url,
      `{ layer: ${fieldOf(request, layer)} { key status code message } }`,
      {},
      Asked,
    );
    const { key, status, code, message } = asked.layer;
    if (key !== layerKey(request)) {
      throw new ConcordatError(
        'differs',
        'the coordinator computes this by another version of the method or its files',
      );
    }
    if (status === 'done') return;
    if (status === 'failed')
      throw new ConcordatError(code ?? 'failed', `the coordinator: ${message ?? 'it failed'}`);
    if (status === 'cancelled')
      throw new ConcordatError('cancelled', 'somebody cancelled it at the coordinator: ask again');
  }
}

/** Fails unless the coordinator serves the same bytes. Throws `differs`, `not-found`, and as `askFor`. */
export async function compareWithServed(
  url: string,
  request: LayerRequest,
  bytes: Uint8Array,
  layer: string | undefined,
): Promise<void> {
  const address = new URL(`/v1/layers/${layerKey(request)}`, url);
  let response = await reach(address);
  if (response.status === 404) {
    await askFor(url, request, layer);
    response = await reach(address);
  }
  if (!response.ok) {
    throw new ConcordatError(
      'not-found',
      `the coordinator does not serve this layer (HTTP ${response.status}): ask again in a minute`,
    );
  }
  if (!equalBytes(await bodyOf(response), bytes)) {
    throw new ConcordatError(
      'differs',
      'the coordinator serves other bytes than these releases give',
    );
  }
}
