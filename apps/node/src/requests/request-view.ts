import { z } from 'zod';
import { describeQuery, Query } from '#libs/query';
import type { Hold } from './hold-book.js';

const Decided = z.strictObject({ by: z.string(), at: z.string() });

/** A request as people and `--json` see it; the plain-English sentence first. */
export const RequestView = z.strictObject({
  id: z.string(),
  sentence: z.string(),
  state: z.enum(['waiting', 'approved', 'denied', 'expired', 'answered']),
  analyst: z.string(),
  purpose: z.string(),
  grant: z.string(),
  fingerprint: z.string(),
  round: z.string(),
  askedAt: z.string(),
  expiresAt: z.string(),
  approvers: z.int(),
  approvals: z.array(Decided),
  denial: Decided.extend({ reason: z.string() }).nullable(),
});
export type RequestView = z.infer<typeof RequestView>;

function sentenceOf(text: string): string {
  try {
    return describeQuery(Query.parse(JSON.parse(text)));
  } catch {
    return 'The question cannot be shown: its text is not in the log. Deny it.';
  }
}

/** `now` is an ISO instant: a request past its time shows as expired before the log says so. */
export const viewRequest = (hold: Hold, now: string): RequestView => ({
  id: hold.id,
  sentence: sentenceOf(hold.query),
  state: hold.state === 'waiting' && now >= hold.held.expiresAt ? 'expired' : hold.state,
  analyst: hold.analyst,
  purpose: hold.held.purpose,
  grant: hold.held.grant,
  fingerprint: hold.held.fingerprint,
  round: hold.held.round,
  askedAt: hold.held.at,
  expiresAt: hold.held.expiresAt,
  approvers: hold.held.approvers,
  approvals: hold.approvals.map(({ by, at }) => ({ by, at })),
  denial: hold.denial ? { ...hold.denial } : null,
});

/** A request in a few lines, the sentence first. */
export function formatRequest(view: RequestView): string {
  const agreed = view.approvals.map(({ by }) => by).join(' and ');
  const approvals =
    view.approvers > 1 || agreed
      ? `  agreed: ${agreed || 'nobody yet'} (${view.approvals.length} of ${view.approvers})\n`
      : '';
  const denial = view.denial ? `  denied by ${view.denial.by}: ${view.denial.reason}\n` : '';
  return (
    `${view.sentence}\n` +
    `  request ${view.id}, ${view.state}; asked by ${view.analyst} at ${view.askedAt}, expires ${view.expiresAt}\n` +
    `  held by grant ${view.grant}; fingerprint ${view.fingerprint}\n${approvals}${denial}`
  );
}
