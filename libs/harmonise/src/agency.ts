/** An agency's own description: who it is, which area it answers for, which files it reads (agency.yaml). */
import { z } from 'zod';
import { parseDocument } from './document.js';

const Name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'use lower-case letters, digits, hyphens');

const AgencyDocument = z.strictObject({
  agency: Name,
  name: z.string().min(1),
  kind: z.enum(['police', 'council']),
  area: z.union([
    /** A police force by its data.police.uk slug. */
    z.strictObject({ force: Name }),
    /** Local authorities by ONS code. */
    z.strictObject({
      authorities: z.array(z.string().regex(/^[EW]\d{8}$/, 'use ONS codes, E06000023')).min(1),
    }),
  ]),
  datasets: z
    .array(
      z.strictObject({
        name: Name,
        mapping: Name,
        /** Narrows what the mapping covers. */
        categories: z.array(Name).min(1).optional(),
        /** Names in the agency's folder; `*` stands for any run of characters. */
        files: z.string().regex(/^[\w.*-]+$/, 'a file name with *, no folders'),
      }),
    )
    .min(1),
});

export type Agency = z.infer<typeof AgencyDocument>;

/** Reads an agency.yaml. Unknown keys and malformed codes are `bad-agency`. */
export const parseAgency = (text: string): Agency =>
  parseDocument(AgencyDocument, text, 'bad-agency');

/** True when `file` (a name without folders) is one of those that `files` stands for. */
export function matchesFiles(files: string, file: string): boolean {
  const parts = files.split('*').map((part) => part.replace(/[.-]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^/]*')}$`).test(file);
}
