/** A layer's result: one canonical JSON document that says what it is, how sure it is, and what it was computed from. */
import { z } from 'zod';
import { ConcordatError, canonicalBytes, type Json, parseCanonicalJson } from '#libs/bytes';
import { Digest } from '#libs/protocol';
import { type LayerRequest, layerKey, METHODS } from './request.js';

const JsonValue: z.ZodType<Json> = z.json() as z.ZodType<Json>;
const Cell = z.union([z.string(), z.int(), z.null()]);

/** Figures are decimal texts of at most six significant digits, whole numbers, or null where there is none. */
export const LayerResult = z.strictObject({
  version: z.literal(1),
  key: Digest,
  method: z.enum(METHODS),
  methodVersion: z.int().min(1),
  parameters: z.record(z.string(), JsonValue),
  /** The releases that it was computed from, and nothing else but the public files that the parameters name by hash. */
  releases: z.array(Digest).min(1),
  question: z.string(),
  citation: z.string(),
  /** What the uncertainty of each figure means. */
  uncertainty: z.string(),
  limitations: z.array(z.string()),
  summary: z.record(z.string(), JsonValue),
  /** Which cells are listed. */
  listed: z.string(),
  columns: z.array(z.string()),
  rows: z.array(z.array(Cell)),
});
export type LayerResult = z.infer<typeof LayerResult>;
export type LayerRow = LayerResult['rows'][number];

/** What a method computes; the rest of the result follows from the request. */
export interface LayerBody {
  readonly limitations: readonly string[];
  readonly summary: Readonly<Record<string, Json>>;
  readonly columns: readonly string[];
  readonly rows: readonly LayerRow[];
}

export interface MethodDescription {
  readonly question: string;
  readonly citation: string;
  readonly uncertainty: string;
  readonly listed: string;
}

/** Canonical bytes of a result: the blob that is served, and what a recomputation must give. */
export function resultBytes(
  request: LayerRequest,
  description: MethodDescription,
  body: LayerBody,
): Uint8Array {
  return canonicalBytes({
    version: 1,
    key: layerKey(request),
    ...request,
    parameters: { ...request.parameters },
    ...description,
    ...body,
  });
}

/** Reads a result. Throws `malformed-result`. */
export function parseResult(bytes: Uint8Array): LayerResult {
  const parsed = LayerResult.safeParse(parseCanonicalJson(bytes));
  if (parsed.success) return parsed.data;
  throw new ConcordatError('malformed-result', 'this is no layer, or one of another version');
}
