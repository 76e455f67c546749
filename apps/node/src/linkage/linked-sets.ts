/** A node's part of a linked count: who is asked about, their label sets with dummies, each set in a box that only the counter opens. */
import {
  canonicalBytes,
  domainDigest,
  fromBase64url,
  sha256Hex,
  toBase64url,
  utf8ToBytes,
} from '#libs/bytes';
import { parseRho } from '#libs/dp';
import { cellFromText, parentOf, resolutionFrom } from '#libs/grid';
import {
  COUNTED_NUMBERS,
  type CountNoise,
  type CountSet,
  makeCountSets,
  outputsOf,
  planRhoNoise,
  relativesOf,
  type StandardPerson,
} from '#libs/linkage';
import type { LinkedAnswer, LinkedSet, Task } from '#libs/protocol';
import { areaResolution, type LinkedPeople, monthsOf, type Query } from '#libs/query';
import type { Node } from '../node.js';
import { columnOf } from './labelled-epoch.js';
import type { Labelled } from './labelling.js';
import type { Encounter } from './people.js';

/** Noise of every number of a linked count. Both nodes and the counter compute it from the question alone. */
export const linkedNoise = (query: Query): CountNoise =>
  planRhoNoise(parseRho(query.rho), COUNTED_NUMBERS);

/** Whether an encounter happened in an area: everywhere, a local authority, or an H3 cell. */
const isIn = (area: LinkedPeople['area'], { authority, cell }: Encounter): boolean => {
  if (area === 'total' || authority === area) return true;
  if (cell === null || /^[EW]/.test(area)) return false;
  return parentOf(cellFromText(cell), resolutionFrom(areaResolution(area))) === cellFromText(area);
};

/**
 * Positions of the people a side is asked about: known for one of the categories, in the period, in one of the roles. On the left a person
 * counts in one area alone, that of the latest such encounter: counts of areas that do not overlap add up to no more than the total.
 */
export function askedAbout(
  query: Query,
  linkage: LinkedPeople,
  { side, people }: Pick<Labelled, 'side' | 'people'>,
): number[] {
  const { roles, categories = query.categories } = linkage[side];
  const months = new Set(query.periods.flatMap(monthsOf));
  const latest = new Map<number, Encounter>();
  for (const known of people.encounters) {
    if (!categories.includes(known.category) || !months.has(known.month)) continue;
    if (roles !== undefined && (known.role === null || !roles.includes(known.role))) continue;
    const before = latest.get(known.person);
    if (before === undefined || known.month >= before.month) latest.set(known.person, known);
  }
  const area = side === 'left' ? linkage.area : 'total';
  return [...latest.entries()]
    .filter(([, known]) => isIn(area, known))
    .map(([person]) => person)
    .sort((a, b) => a - b);
}

const bytesOfLabels = (labels: BigUint64Array): Uint8Array => {
  const bytes = new Uint8Array(8 * labels.length);
  const view = new DataView(bytes.buffer);
  labels.forEach((label, i) => {
    view.setBigUint64(8 * i, label);
  });
  return bytes;
};

/** Draws dummies and noise, reads outputs, and closes every set in a box for the counter. The bytes are what is stored, signed for and uploaded. */
export async function linkedAnswer(
  task: Task,
  linkage: LinkedPeople,
  labelled: Labelled,
  node: Node,
): Promise<Uint8Array> {
  const { side, people, files } = labelled;
  const seed = domainDigest(
    'concordat/linkage-dummies/v1',
    fromBase64url(labelled.pair),
    utf8ToBytes(task.fingerprint),
  );
  const positions = askedAbout(task.query, linkage, labelled);
  const outputs = new Map<string, readonly Uint8Array[]>();
  for (const { key, kind } of outputsOf(side)) {
    outputs.set(columnOf(key, kind), await files.read(columnOf(key, kind), positions));
  }
  const sets = makeCountSets({
    side,
    seed,
    queryId: task.fingerprint,
    noise: linkedNoise(task.query),
    outputs: (key, kind) => outputs.get(columnOf(key, kind)) ?? [],
    relatives: relativesOf(positions.map((at) => people.people[at] as StandardPerson)),
    random: node.random,
  });
  const { boxKey } = node.manifest.coordinator;
  const boxOf = ({ key, kind, labels, relatives }: CountSet): string => {
    const set: LinkedSet = {
      version: 1,
      fingerprint: task.fingerprint,
      agency: node.agency.id,
      pair: sha256Hex(seed),
      key,
      kind,
      relatives,
      labels: toBase64url(bytesOfLabels(labels)),
    };
    return toBase64url(node.box.close(canonicalBytes(set), boxKey));
  };
  const answer: LinkedAnswer = { version: 1, boxes: sets.map(boxOf) };
  return canonicalBytes(answer);
}
