/** What a person does with a held question. Every decision is one log entry; the fold of it is the state. */
import { ConcordatError } from '#libs/bytes';
import type { EntryOf } from '#libs/tlog';
import type { Node } from '../node.js';
import { DENIED, EXPIRED, type Hold, personKey } from './hold-book.js';

type Deciding = Pick<Node, 'append' | 'holds' | 'nowMs' | 'policyDigest'>;

/** A line that the log takes: NFC, no control characters, no space at its ends. Throws `bad-name` or `bad-reason`. */
function printable(text: unknown, maxLength: number, code: string, what: string): string {
  const line = typeof text === 'string' ? text.trim().normalize('NFC') : '';
  if (line.length === 0 || line.length > maxLength || /[\p{C}\p{Zl}\p{Zp}]/u.test(line)) {
    throw new ConcordatError(code, `${what} is one printable line of 1 to ${maxLength} characters`);
  }
  return line;
}

function openHold(node: Deciding, id: string, states: readonly Hold['state'][]): Hold {
  const hold = node.holds.byId.get(id);
  if (!hold) {
    throw new ConcordatError(
      'no-such-request',
      'no request has this id; run: concordat node requests',
    );
  }
  if (node.holds.newest.get(hold.held.fingerprint) !== id) {
    throw new ConcordatError('request-replaced', 'a newer request asks the same; decide that one');
  }
  if (hold.state === 'waiting' && new Date(node.nowMs()).toISOString() >= hold.held.expiresAt) {
    throw new ConcordatError(
      'request-expired',
      'the request expired; the question must be asked again',
    );
  }
  if (!states.includes(hold.state)) {
    throw new ConcordatError(`request-${hold.state}`, `the request is ${hold.state} already`);
  }
  return hold;
}

const entryAbout = ({ held }: Hold, actor: string, nowMs: number) => {
  const { recipient, purpose, fingerprint, round } = held;
  const at = new Date(nowMs).toISOString();
  return { verb: 'consultation', at, actor, recipient, purpose, fingerprint, round } as const;
};

const after = (node: Deciding, { id }: Hold): Hold => {
  const hold = node.holds.byId.get(id);
  if (!hold) throw new ConcordatError('internal', 'the log lost a request');
  return hold;
};

/**
 * A person agrees. Returns the request as it stands then: `approved`, or `waiting` for a second person. Throws `no-such-request`,
 * `request-replaced`, `request-expired`, `request-<state>`, `same-person` (four eyes need two people), `policy-changed`,
 * `bad-name`, `log-unavailable`.
 */
export async function approveRequest(node: Deciding, id: string, by: unknown): Promise<Hold> {
  const name = printable(by, 200, 'bad-name', 'the name of who decides');
  const hold = openHold(node, id, ['waiting']);
  if (hold.held.policyDigest !== node.policyDigest) {
    throw new ConcordatError(
      'policy-changed',
      'the policy changed since this was asked; the question must be asked again under the new one',
    );
  }
  if (hold.approvals.some((approval) => personKey(approval.by) === personKey(name))) {
    throw new ConcordatError(
      'same-person',
      'this person agreed already; another one must agree too',
    );
  }
  const { grant, policyDigest } = hold.held;
  await node.append({
    kind: 'query.approved',
    ...entryAbout(hold, name, node.nowMs()),
    grant,
    policyDigest,
  });
  return after(node, hold);
}

/**
 * A person refuses, also after an approval that no release has used yet. Throws as `approveRequest` does, and `bad-reason`.
 */
export async function denyRequest(
  node: Deciding,
  id: string,
  by: unknown,
  reason: unknown,
): Promise<Hold> {
  const name = printable(by, 200, 'bad-name', 'the name of who decides');
  const why = printable(reason, 500, 'bad-reason', 'the reason');
  const hold = openHold(node, id, ['waiting', 'approved']);
  await node.append({
    kind: 'query.refused',
    ...entryAbout(hold, name, node.nowMs()),
    code: DENIED,
    constraint: `grants.${hold.held.grant}.approval`,
    policyDigest: node.policyDigest,
    reason: why,
  });
  return after(node, hold);
}

/** Logs the end of every request whose time is over. Returns how many. */
export async function expireRequests(node: Deciding & Pick<Node, 'agency'>): Promise<number> {
  const now = new Date(node.nowMs()).toISOString();
  const over = [...node.holds.byId.values()].filter(
    ({ state, held }) => state === 'waiting' && held.expiresAt <= now,
  );
  for (const hold of over) {
    const entry: EntryOf<'query.refused'> = {
      kind: 'query.refused',
      ...entryAbout(hold, node.agency.id, node.nowMs()),
      code: EXPIRED,
      constraint: `grants.${hold.held.grant}.holdHours`,
      policyDigest: hold.held.policyDigest,
    };
    await node.append(entry);
  }
  return over.length;
}
