/** What log owners and witnesses tell each other through the coordinator; `docs/protocol/witnessing.md`. */

import { z } from 'zod';
import { Code, Name, Size } from './names.js';

const Note = z.string().max(8192);

export const WitnessMessage = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ask') }),
  z.strictObject({ kind: z.literal('latest'), note: Note.nullable() }),
  /** Body of a C2SP tlog-witness add-checkpoint request. */
  z.strictObject({ kind: z.literal('add-checkpoint'), body: z.string().max(16_384) }),
  z.strictObject({
    kind: z.literal('reply'),
    status: z.int().min(200).max(599),
    code: Code.nullable(),
    size: Size.nullable(),
    /** A signature line with its newline. */
    cosignature: z.string().max(400).nullable(),
  }),
]);
export type WitnessMessage = z.infer<typeof WitnessMessage>;

/** `POST /v1/witnessing`: messages for other processes. */
export const WitnessPost = z.strictObject({
  items: z
    .array(z.strictObject({ to: Name, message: WitnessMessage }))
    .min(1)
    .max(256),
});
export type WitnessPost = z.infer<typeof WitnessPost>;

/** `GET /v1/witnessing?after=N&wait=SECONDS`: what others sent after sequence number N, oldest first. */
export const WitnessMail = z.strictObject({
  items: z.array(z.strictObject({ sequence: z.int().min(1), from: Name, message: WitnessMessage })),
});
export type WitnessMail = z.infer<typeof WitnessMail>;
